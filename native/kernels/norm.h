// Batch norm, with the addition of a residual and the ReLU that may follow, over [rows, channels]: an image batch in
// channels-last order. Each function is compiled for several instruction sets; norm_kernels() chooses.
#pragma once
#include <cstdint>

#include "element.h"

namespace distillsharp {

// sum and square [channels] grow by the sums of x - pivot and (x - pivot)^2.
struct NormMoments {
  const void* x;
  const float* pivot;
  double* sum;
  double* square;
};

// y = x * scale + shift (+ residual), with ReLU where it is asked for.
struct NormApply {
  const void* x;
  const void* residual;  // null: none
  void* y;
  const float* scale;
  const float* shift;
  bool relu;
};

// With g = gradient where y > 0 (or where there is no y), else 0: sum_g and sum_gx grow by the sums of g and of
// g * (x - mean); g is written to `passed` where that is wanted.
struct NormReduce {
  const void* gradient;
  const void* y;  // null: no ReLU
  const void* x;
  void* passed;  // null: not wanted
  const float* mean;
  double* sum_g;
  double* sum_gx;
};

// result = factor * (g - mean_g - (x - mean) * slope).
struct NormGradient {
  const void* gradient;
  const void* y;  // null: no ReLU
  const void* x;
  void* result;
  const float* mean;
  const float* factor;
  const float* mean_g;
  const float* slope;
};

struct NormKernels {
  void (*moments)(const NormMoments&, Element, int64_t first, int64_t last, int64_t channels);
  void (*apply)(const NormApply&, Element, int64_t first, int64_t last, int64_t channels);
  void (*reduce)(const NormReduce&, Element, int64_t first, int64_t last, int64_t channels);
  void (*gradient)(const NormGradient&, Element, int64_t first, int64_t last, int64_t channels);
};

// The fastest that this processor has.
const NormKernels& norm_kernels();

}  // namespace distillsharp
