// The forward pass and, with turned weights, the gradient of the inputs where the stride is 1.
#pragma once
#include "conv_tile.h"

namespace distillsharp::DISTILLSHARP_ARCH {
namespace {

// Registers of output channels that a tile holds. Where three taps across need a register each, two of them leave too
// few of 16 for the sums.
inline int blocks_of(const ConvShape& shape) {
  return slides(shape) && registers < 32 ? 1 : together(shape.out_channels);
}

// The order of the weights: groups, blocks of output channels, rows, then columns and pairs of input channels (sliding:
// the other way round), then the block's output channels, each with its pair.
template <typename T>
inline int64_t packed_index(const ConvShape& shape, int64_t block, int64_t lane, int64_t in, int64_t row,
                            int64_t column) {
  constexpr int depth = Products<T>::depth;
  const int64_t size = blocks_of(shape) * width, pairs = shape.in_channels / depth, k = shape.kernel;
  const int64_t tap = slides(shape) ? (row * pairs + in / depth) * k + column : (row * k + column) * pairs + in / depth;
  return ((block * k * k * pairs + tap) * size + lane) * depth + in % depth;
}

inline int64_t group_size(const ConvShape& shape) {
  const int64_t size = blocks_of(shape) * width;
  return block_count(shape.out_channels, size) * size * shape.in_channels * shape.kernel * shape.kernel;
}

template <typename T>
void pack(const ConvShape& shape, const ConvWeights& weights, void* packed, int64_t first, int64_t last) {
  constexpr int64_t depth = Products<T>::depth;
  const int64_t size = blocks_of(shape) * width;
  for (int64_t at = first; at < last; ++at) {
    const int64_t out = at % shape.out_channels, group = at / shape.out_channels;
    T* to = static_cast<T*>(packed) + group * group_size(shape);
    for (int64_t block = out / size; block < block_count(shape.out_channels, size); ++block) {
      const int64_t lane = out - block_start(shape.out_channels, size, block);
      if (lane < 0) break;
      for (int64_t row = 0; row < shape.kernel; ++row)
        for (int64_t column = 0; column < shape.kernel; ++column) {
          const float* from = weights.at(group, out, 0, row, column);
          const int64_t start = packed_index<T>(shape, block, lane, 0, row, column),
                        step = packed_index<T>(shape, block, lane, depth, row, column) - start;
          for (int64_t in = 0; in < shape.in_channels; in += depth)
            for (int64_t i = 0; i < depth; ++i)
              to[start + in / depth * step + i] = rounded(from[(in + i) * weights.in], to);
        }
    }
  }
}

// The rows of taps that lie within the image. Sliding reads the image as it is; otherwise it comes padded, and all do.
struct Within {
  int first_row, last_row;
};

// sums[pixel][block] for `pixels` outputs side by side, the first tap of the first being at x.
template <typename T, int blocks, int pixels, bool left, bool right>
inline void slide(const ConvShape& shape, const T* x, const T* weights, Within rows, floats (&sums)[pixels][blocks]) {
  using P = Products<T>;
  constexpr int step = blocks * width * P::depth;
  const int64_t channels = shape.in_channels, line = shape.width * channels;
  weights += rows.first_row * (channels / P::depth) * 3 * step;
  for (int row = rows.first_row; row < rows.last_row; ++row) {
    const T* from = x + row * line;
    for (int64_t c = 0; c < channels; c += P::depth, weights += 3 * step) {
      typename P::operands w[3][blocks];
#pragma GCC unroll 3
      for (int tap = 0; tap < 3; ++tap)
#pragma GCC unroll 2
        for (int block = 0; block < blocks; ++block)
          w[tap][block] = P::load(weights + tap * step + block * width * P::depth);
#pragma GCC unroll 18
      for (int pixel = left ? 1 : 0; pixel < (right ? pixels + 1 : pixels + 2); ++pixel) {
        const auto value = P::all(from + pixel * channels + c);
#pragma GCC unroll 3
        for (int tap = 0; tap < 3; ++tap)
          if (pixel >= tap && pixel - tap < pixels)
#pragma GCC unroll 2
            for (int block = 0; block < blocks; ++block)
              sums[pixel - tap][block] = P::add(sums[pixel - tap][block], w[tap][block], value);
      }
    }
  }
}

template <typename T, int blocks>
struct Sliding {
  const ConvShape& shape;
  Within rows;

  template <int pixels>
  void tile(const ConvOutputs& outputs, const T* x, const T* weights, int64_t channel, int64_t pixel) const {
    const auto run = [&](auto left, auto right) {
      floats sums[pixels][blocks];
      begin(outputs, channel, sums);
      slide<T, blocks, pixels, left.value, right.value>(shape, x + pixel * shape.in_channels, weights, rows, sums);
      finish<T>(outputs, channel, pixel, sums);
    };
    const bool left = pixel == 0, right = pixel + pixels == shape.width;
    if (left)
      right ? run(Constant<1>(), Constant<1>()) : run(Constant<1>(), Constant<0>());
    else
      right ? run(Constant<0>(), Constant<1>()) : run(Constant<0>(), Constant<0>());
  }
};

template <typename T>
inline void clear_border(const ConvShape& shape, T* image) {
  const int64_t pad = padding(shape), line = padded_width(shape) * shape.in_channels, edge = pad * shape.in_channels;
  __builtin_memset(image, 0, pad * line * sizeof(T));
  for (int64_t row = pad; row < pad + shape.height; ++row) {
    __builtin_memset(image + row * line, 0, edge * sizeof(T));
    __builtin_memset(image + (row + 1) * line - edge, 0, edge * sizeof(T));
  }
  __builtin_memset(image + (pad + shape.height) * line, 0, pad * line * sizeof(T));
}

template <typename T, int blocks, bool sliding>
void forward(const ConvShape& shape, const ConvForward& job, int64_t first, int64_t last, T* scratch) {
  const int64_t pad = padding(shape), in_pixel = shape.in_pixel(), size = blocks * width;
  const int64_t columns = sliding ? shape.width : padded_width(shape), outputs = shape.out_height() * shape.out_width();
  const bool copied = !sliding && pad != 0;
  if (copied) clear_border(shape, scratch);
  for (int64_t image = first; image < last; ++image) {
    const T* x = static_cast<const T*>(job.x) + image * shape.height * shape.width * in_pixel;
    if (copied) {
      for (int64_t row = 0; row < shape.height; ++row)
        __builtin_memcpy(scratch + ((row + pad) * columns + pad) * in_pixel, x + row * shape.width * in_pixel,
                         shape.width * in_pixel * sizeof(T));
      x = scratch;
    }
    for (int64_t group = 0; group < shape.groups; ++group, x += shape.in_channels)
      for (int64_t block = 0; block < block_count(shape.out_channels, size); ++block) {
        const T* weights = static_cast<const T*>(job.packed) + group * group_size(shape) +
                           block * size * shape.in_channels * shape.kernel * shape.kernel;
        const int64_t channel = group * shape.out_channels + block_start(shape.out_channels, size, block);
        for (int64_t row = 0; row < shape.out_height(); ++row) {
          const ConvOutputs to{job, image * outputs + row * shape.out_width(), shape.out_pixel(), 1};
          if constexpr (sliding) {
            const Within rows{row == 0 ? 1 : 0, row + 1 == shape.height ? 2 : 3};
            // The first tap lies a row up and a column to the left; what is outside is not read.
            tiles<blocks, sliding_tile / blocks>(Sliding<T, blocks>{shape, rows}, to,
                                                 x + ((row - 1) * columns - 1) * in_pixel, weights, channel,
                                                 shape.out_width());
          } else {
            const Windows<T, blocks> windows{shape.kernel, shape.kernel,       shape.in_channels,
                                             in_pixel,     columns * in_pixel, shape.stride * in_pixel};
            tiles<blocks, window_tile / blocks>(windows, to, x + row * shape.stride * columns * in_pixel, weights,
                                                channel, shape.out_width());
          }
        }
      }
  }
}

template <typename T>
void forward(const ConvShape& asked, const ConvForward& job, int64_t first, int64_t last, void* scratch) {
  const ConvShape shape = flat(asked);
  const auto run = slides(shape) ? (blocks_of(shape) == 2 ? forward<T, 2, true> : forward<T, 1, true>)
                                 : (blocks_of(shape) == 2 ? forward<T, 2, false> : forward<T, 1, false>);
  run(shape, job, first, last, static_cast<T*>(scratch));
}

}  // namespace
}  // namespace distillsharp::DISTILLSHARP_ARCH
