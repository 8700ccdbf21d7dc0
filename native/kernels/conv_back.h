// The gradient of the inputs of a convolution of stride 2. Inputs in rows and columns of the same parity see the same
// taps (of three, the even ones see the middle one, the odd ones the other two), so each of the four kinds is a small
// convolution of the outputs' gradient, and no product with a zero is computed.
#pragma once
#include "conv_tile.h"

namespace distillsharp::DISTILLSHARP_ARCH {
namespace {

// Taps across that inputs of a parity see, and which tap of the kernel the i-th one is.
inline int taps_seen(const ConvShape& shape, int parity) { return shape.kernel == 3 ? 1 + parity : 1 - parity; }
inline int tap_seen(const ConvShape& shape, int parity, int i) { return parity == 1 ? 2 - 2 * i : shape.kernel / 2; }

// Taps of the kinds before one, in the order even-even, even-odd, odd-even, odd-odd.
inline int64_t taps_before(const ConvShape& shape, int row, int column) {
  int64_t taps = 0;
  for (int kind = 0; kind < 2 * row + column; ++kind) taps += taps_seen(shape, kind / 2) * taps_seen(shape, kind % 2);
  return taps;
}

inline int64_t back_size(const ConvShape& shape) {
  const int64_t size = together(shape.in_channels) * width;
  return block_count(shape.in_channels, size) * size * shape.out_channels * shape.kernel * shape.kernel;
}

// The order of the weights: groups, blocks of input channels, kinds, taps, pairs of output channels, then the block's
// input channels, each with its pair.
template <typename T>
void pack_back(const ConvShape& shape, const ConvWeights& weights, void* packed, int64_t first, int64_t last) {
  constexpr int64_t depth = Products<T>::depth;
  const int64_t size = together(shape.in_channels) * width, taps = shape.kernel * shape.kernel;
  for (int64_t at = first; at < last; ++at) {
    const int64_t in = at % shape.in_channels, group = at / shape.in_channels;
    for (int64_t block = in / size; block < block_count(shape.in_channels, size); ++block) {
      const int64_t lane = in - block_start(shape.in_channels, size, block);
      if (lane < 0) break;
      T* to = static_cast<T*>(packed) + group * back_size(shape) + block * size * shape.out_channels * taps;
      for (int kind = 0; kind < 4; ++kind)
        for (int row = 0; row < taps_seen(shape, kind / 2); ++row)
          for (int column = 0; column < taps_seen(shape, kind % 2); ++column)
            for (int64_t out = 0; out < shape.out_channels; out += depth, to += size * depth)
              for (int64_t i = 0; i < depth; ++i)
                to[lane * depth + i] = rounded(
                    *weights.at(group, out + i, in, tap_seen(shape, kind / 2, row), tap_seen(shape, kind % 2, column)),
                    to);
    }
  }
}

// With a row and a column of zeros behind: the last odd inputs see them.
inline int64_t back_scratch(const ConvShape& shape) {
  return (shape.out_height() + 1) * (shape.out_width() + 1) * shape.out_pixel();
}

template <typename T, int blocks>
void back(const ConvShape& shape, const ConvForward& job, int64_t first, int64_t last, T* scratch) {
  const int64_t pixel = shape.out_pixel(), size = blocks * width, row_size = shape.out_width() * pixel,
                line = row_size + pixel;
  const int64_t outputs = shape.height * shape.width;
  __builtin_memset(scratch, 0, back_scratch(shape) * sizeof(T));
  for (int64_t image = first; image < last; ++image) {
    const T* from = static_cast<const T*>(job.x) + image * shape.out_height() * row_size;
    for (int64_t row = 0; row < shape.out_height(); ++row)
      __builtin_memcpy(scratch + row * line, from + row * row_size, row_size * sizeof(T));
    // A kernel of one tap leaves out the odd inputs.
    if (shape.kernel == 1)
      __builtin_memset(static_cast<T*>(job.y) + image * outputs * shape.in_pixel(), 0,
                       outputs * shape.in_pixel() * sizeof(T));
    for (int64_t group = 0; group < shape.groups; ++group)
      for (int64_t block = 0; block < block_count(shape.in_channels, size); ++block)
        for (int kind = 0; kind < 4; ++kind) {
          const int odd_row = kind / 2, odd_column = kind % 2;
          const Windows<T, blocks> windows{
              taps_seen(shape, odd_row), taps_seen(shape, odd_column), shape.out_channels, pixel, line, pixel};
          if (windows.rows * windows.columns == 0) continue;
          const T* weights = static_cast<const T*>(job.packed) + group * back_size(shape) +
                             (block * shape.kernel * shape.kernel + taps_before(shape, odd_row, odd_column)) * size *
                                 shape.out_channels;
          const int64_t channel = group * shape.in_channels + block_start(shape.in_channels, size, block);
          for (int64_t row = odd_row; row < shape.height; row += 2) {
            const ConvOutputs to{job, image * outputs + row * shape.width + odd_column, shape.in_pixel(), 2};
            tiles<blocks, window_tile / blocks>(windows, to, scratch + row / 2 * line + group * shape.out_channels,
                                                weights, channel, (shape.width - odd_column + 1) / 2);
          }
        }
  }
}

template <typename T>
void back(const ConvShape& shape, const ConvForward& job, int64_t first, int64_t last, void* scratch) {
  const auto run = together(shape.in_channels) == 2 ? back<T, 2> : back<T, 1>;
  run(shape, job, first, last, static_cast<T*>(scratch));
}

}  // namespace
}  // namespace distillsharp::DISTILLSHARP_ARCH
