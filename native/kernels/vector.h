// As many floats at once as a register holds, for kernels that are compiled for several instruction sets
// (CMakeLists.txt), each in a namespace of its own. Nothing of the standard library is used but types: a template
// instantiated for AVX-512 must never be the copy that the linker keeps for all.
#pragma once
#include <cstdint>

#if defined(__AVX512BF16__)
#include <immintrin.h>
#endif

namespace distillsharp::DISTILLSHARP_ARCH {
namespace {

#if defined(__AVX512F__)
constexpr int width = 16, registers = 32;
#else
constexpr int width = 8, registers = 16;
#endif
typedef float floats __attribute__((vector_size(width * 4)));
typedef uint32_t words __attribute__((vector_size(width * 4)));
typedef uint16_t halves __attribute__((vector_size(width * 2)));

struct bfloat16 {
  uint16_t bits;
};

inline floats load(const float* from) {
  floats value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}

inline floats load(const bfloat16* from) {
  halves value;
  __builtin_memcpy(&value, from, sizeof value);
  return reinterpret_cast<floats>(__builtin_convertvector(value, words) << 16);
}

inline void store(float* to, floats value) { __builtin_memcpy(to, &value, sizeof value); }

// Rounds to the nearest, ties to even; a NaN stays one.
inline void store(bfloat16* to, floats value) {
#if defined(__AVX512BF16__)
  const auto result = _mm512_cvtneps_pbh(reinterpret_cast<__m512>(value));
#else
  const words bits = reinterpret_cast<words>(value);
  const words rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  const words nan = reinterpret_cast<words>(value != value);
  const halves result = __builtin_convertvector((nan & 0x7fc0) | (~nan & rounded), halves);
#endif
  __builtin_memcpy(to, &result, sizeof result);
}

// Lets a NaN through, as aten::relu does.
inline floats relu(floats value) {
  return reinterpret_cast<floats>(reinterpret_cast<words>(value) & ~reinterpret_cast<words>(value < 0));
}

inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

}  // namespace
}  // namespace distillsharp::DISTILLSHARP_ARCH
