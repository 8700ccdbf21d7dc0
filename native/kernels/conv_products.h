// What all ways of a convolution share: how products are summed, and which channels are computed together.
#pragma once
#include "conv.h"
#include "vector.h"

namespace distillsharp::DISTILLSHARP_ARCH {
namespace {

inline float rounded(float value, float*) { return value; }

inline bfloat16 rounded(float value, bfloat16*) {
  uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  if (value != value) return {0x7fc0};
  return {static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16)};
}

// How products are summed: float32 one at a time; bfloat16 by pairs, which the processor multiplies and adds at once.
template <typename T>
struct Products;

template <>
struct Products<float> {
  static constexpr int depth = 1;
  typedef floats operands;

  static operands all(const float* from) { return *from - floats{}; }
  static operands load(const float* from) { return DISTILLSHARP_ARCH::load(from); }
  static floats add(floats sum, operands a, operands b) { return sum + a * b; }
};

#if defined(__AVX512BF16__)
template <>
struct Products<bfloat16> {
  static constexpr int depth = 2;
  typedef __m512bh operands;

  static operands all(const bfloat16* from) {
    int pair;
    __builtin_memcpy(&pair, from, sizeof pair);
    return reinterpret_cast<__m512bh>(_mm512_set1_epi32(pair));
  }
  static operands load(const bfloat16* from) { return reinterpret_cast<__m512bh>(_mm512_loadu_si512(from)); }
  static floats add(floats sum, operands a, operands b) {
    return reinterpret_cast<floats>(_mm512_dpbf16_ps(reinterpret_cast<__m512>(sum), a, b));
  }
};
#endif

inline int64_t padding(const ConvShape& shape) { return shape.kernel / 2; }
inline int64_t padded_height(const ConvShape& shape) { return shape.height + 2 * padding(shape); }
inline int64_t padded_width(const ConvShape& shape) { return shape.width + 2 * padding(shape); }

// With three taps across and stride 1, each input pixel serves three outputs while it is in a register.
inline bool slides(const ConvShape& shape) { return shape.kernel == 3 && shape.stride == 1; }

// Pixels that do not know of each other are one row.
inline ConvShape flat(ConvShape shape) {
  if (shape.kernel == 1 && shape.stride == 1) {
    shape.width *= shape.height;
    shape.height = 1;
  }
  return shape;
}

// Channels are computed in blocks of one size. Where they are no multiple of it, the last block begins earlier and some
// channels are computed twice: nothing is ever read or written beyond them.
inline int64_t block_count(int64_t channels, int64_t size) { return (channels + size - 1) / size; }
inline int64_t block_start(int64_t channels, int64_t size, int64_t block) {
  return least(block * size, channels > size ? channels - size : 0);
}

// How many registers of output channels are computed together.
inline int together(int64_t channels) { return channels >= 2 * width && block_count(channels, width) % 2 == 0 ? 2 : 1; }

}  // namespace
}  // namespace distillsharp::DISTILLSHARP_ARCH
