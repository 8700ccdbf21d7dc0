#include "peak.h"

#include "vector.h"

namespace distillsharp::DISTILLSHARP_ARCH {

int64_t multiply_adds(int64_t rounds) {
  // More sums than the processor has products under way, so that none waits for the one before. The factors come from
  // memory that a compiler may know nothing of.
  constexpr int count = 12;
  volatile float half = 0.5f, sink;
  const floats factor = half - floats{}, summand = half - floats{};
  floats sums[count] = {};
  for (int64_t round = 0; round < rounds; ++round)
#pragma GCC unroll 12
    for (int i = 0; i < count; ++i) sums[i] = sums[i] * factor + summand;
  floats total{};
  for (int i = 0; i < count; ++i) total += sums[i];
  sink = total[0];
  (void)sink;
  return rounds * count * width;
}

}  // namespace distillsharp::DISTILLSHARP_ARCH
