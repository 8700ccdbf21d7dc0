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

int64_t multiply_adds_bf16([[maybe_unused]] int64_t rounds) {
#if defined(__AVX512BF16__)
  constexpr int count = 12;
  volatile float half = 0.5f, sink;
  const floats halves = half - floats{};
  const auto a = reinterpret_cast<__m512bh>(halves), b = reinterpret_cast<__m512bh>(halves + halves);
  floats sums[count] = {};
  for (int64_t round = 0; round < rounds; ++round)
#pragma GCC unroll 12
    for (int i = 0; i < count; ++i)
      sums[i] = reinterpret_cast<floats>(_mm512_dpbf16_ps(reinterpret_cast<__m512>(sums[i]), a, b));
  floats total{};
  for (int i = 0; i < count; ++i) total += sums[i];
  sink = total[0];
  (void)sink;
  return rounds * count * 2 * width;
#else
  return 0;
#endif
}

}  // namespace distillsharp::DISTILLSHARP_ARCH
