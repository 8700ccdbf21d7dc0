// Processes that compute together. Where a libtorch has no c10d there is never a group, and these are not called.
#pragma once
#include <ATen/ATen.h>

#ifdef DISTILLSHARP_C10D
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#endif

#include <functional>

#include "boundary.h"
#include "libtorch_version.h"

namespace distillsharp {

#ifdef DISTILLSHARP_C10D

// Ends with an exception, noted as such, where the other processes do not answer in time or are gone.
using Work = c10::intrusive_ptr<c10d::Work>;
void with_others(const char* what, const std::function<void()>& body);

compat::ProcessBackend& backend_of(ds_process_group group);
Work start_sum(ds_process_group group, const at::Tensor& tensor);

#endif

// In place: the sum over all processes.
void sum_over_processes(ds_process_group group, at::Tensor tensor);

// [processes, ...]: each process's tensor, in the order of their ranks.
at::Tensor gather_of_processes(ds_process_group group, const at::Tensor& tensor);

}  // namespace distillsharp
