// Batch norm in training: what its operators share.
#pragma once
#include <ATen/ATen.h>

#include "boundary.h"
#include "libtorch_version.h"

namespace distillsharp {

// From the moments of the rows of this process to those of all: moments [2, C] in double, the means and the sums of
// squared differences from them. Returns the number of all rows.
double combine_moments(ds_process_group group, double own, const at::Tensor& moments);

bool norm_kernels_take(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       const at::Tensor& running_mean, const at::Tensor& running_var,
                       const compat::Optional<at::Tensor>& residual);

// relu(norm(x) + residual) by this project's kernels; group is a ds_process_group, 0 for the rows of this process
// alone.
at::Tensor norm_by_kernels(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                           const at::Tensor& running_mean, const at::Tensor& running_var,
                           const compat::Optional<at::Tensor>& residual, bool relu, double momentum, double epsilon,
                           int64_t group);

}  // namespace distillsharp
