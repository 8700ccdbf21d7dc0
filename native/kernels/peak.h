// What kernels are measured by: nothing but products and sums in registers.
#pragma once
#include <cstdint>

namespace distillsharp {

// Multiplies and adds so many rounds of float32 numbers; returns how many multiply-adds that were.
int64_t multiply_adds(int64_t rounds);

}  // namespace distillsharp
