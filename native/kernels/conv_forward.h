// The forward pass, and, with turned weights, the gradient of the inputs.
#pragma once
#include "conv_products.h"

namespace distillsharp::DISTILLSHARP_ARCH {
namespace {

// The order of the weights: blocks of output channels, rows, then columns and pairs of input channels (sliding: the
// other way round), then the block's output channels, each with its pair.
template <typename T>
inline int64_t packed_index(const ConvShape& shape, int64_t out, int64_t in, int64_t row, int64_t column) {
  constexpr int depth = Products<T>::depth;
  const int64_t block = together(shape) * width, pairs = shape.in_channels / depth, k = shape.kernel;
  const int64_t tap = slides(shape) ? (row * pairs + in / depth) * k + column : (row * k + column) * pairs + in / depth;
  return ((out / block * k * k * pairs + tap) * block + out % block) * depth + in % depth;
}

template <typename T>
void pack(const ConvShape& shape, const ConvWeights& weights, void* packed, int64_t first, int64_t last) {
  constexpr int64_t depth = Products<T>::depth;
  T* to = static_cast<T*>(packed);
  for (int64_t out = first; out < last; ++out)
    for (int64_t row = 0; row < shape.kernel; ++row)
      for (int64_t column = 0; column < shape.kernel; ++column) {
        const float* from = weights.first + out * weights.out + row * weights.row + column * weights.column;
        const int64_t start = packed_index<T>(shape, out, 0, row, column),
                      step = packed_index<T>(shape, out, depth, row, column) - start;
        for (int64_t in = 0; in < shape.in_channels; in += depth)
          for (int64_t i = 0; i < depth; ++i)
            to[start + in / depth * step + i] = rounded(from[(in + i) * weights.in], to);
      }
}

template <int number>
struct Constant {
  static constexpr int value = number;
};

// The rows of taps that lie within the image. Sliding reads the image as it is; otherwise it
// comes padded, and all do.
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

template <typename T, int blocks, int pixels, int stride>
inline void accumulate(const ConvShape& shape, const T* x, const T* weights, floats (&sums)[pixels][blocks]) {
  using P = Products<T>;
  constexpr int step = blocks * width * P::depth;
  const int64_t channels = shape.in_channels, line = padded_width(shape) * channels;
  for (int row = 0; row < shape.kernel; ++row, x += line)
    for (int column = 0; column < shape.kernel; ++column)
      for (int64_t c = 0; c < channels; c += P::depth, weights += step) {
        typename P::operands w[blocks];
#pragma GCC unroll 2
        for (int block = 0; block < blocks; ++block) w[block] = P::load(weights + block * width * P::depth);
#pragma GCC unroll 16
        for (int pixel = 0; pixel < pixels; ++pixel) {
          const auto value = P::all(x + (pixel * stride + column) * channels + c);
#pragma GCC unroll 2
          for (int block = 0; block < blocks; ++block) sums[pixel][block] = P::add(sums[pixel][block], w[block], value);
        }
      }
}

template <typename T, int blocks, int pixels, bool sliding, int stride, bool left = false, bool right = false>
inline void tile(const ConvShape& shape, const ConvForward& job, const T* x, const T* weights, Within rows,
                 int64_t first_channel, int64_t at) {
  floats sums[pixels][blocks];
#pragma GCC unroll 2
  for (int block = 0; block < blocks; ++block) {
    const floats bias = job.bias != nullptr ? load(job.bias + first_channel + block * width) : floats{};
#pragma GCC unroll 16
    for (int pixel = 0; pixel < pixels; ++pixel) sums[pixel][block] = bias;
  }
  if constexpr (sliding)
    slide<T, blocks, pixels, left, right>(shape, x, weights, rows, sums);
  else
    accumulate<T, blocks, pixels, stride>(shape, x, weights, sums);
#pragma GCC unroll 16
  for (int pixel = 0; pixel < pixels; ++pixel)
#pragma GCC unroll 2
    for (int block = 0; block < blocks; ++block) {
      const int64_t to = (at + pixel) * shape.out_channels + first_channel + block * width;
      floats value = sums[pixel][block];
      if (job.residual != nullptr) value += load(static_cast<const T*>(job.residual) + to);
      store(static_cast<T*>(job.y) + to, job.relu ? relu(value) : value);
    }
}

// One row of outputs, in tiles as wide as fit.
template <typename T, int blocks, bool sliding, int stride>
inline void line(const ConvShape& shape, const ConvForward& job, const T* x, const T* weights, Within rows,
                 int64_t first_channel, int64_t at) {
  const int64_t end = shape.out_width(), step = stride * shape.in_channels;
  int64_t pixel = 0;
  const auto tiles = [&](auto size) {
    constexpr int pixels = decltype(size)::value;
    for (; pixel + pixels <= end; pixel += pixels) {
      const auto run = [&](auto compute) {
        compute(shape, job, x + pixel * step, weights, rows, first_channel, at + pixel);
      };
      const bool left = sliding && pixel == 0, right = sliding && pixel + pixels == end;
      if (left && right)
        run(tile<T, blocks, pixels, sliding, stride, sliding, sliding>);
      else if (left)
        run(tile<T, blocks, pixels, sliding, stride, sliding, false>);
      else if (right)
        run(tile<T, blocks, pixels, sliding, stride, false, sliding>);
      else
        run(tile<T, blocks, pixels, sliding, stride>);
    }
  };
  if constexpr (blocks == 1) tiles(Constant<16>());
  tiles(Constant<8>());
  tiles(Constant<4>());
  tiles(Constant<1>());
}

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

template <typename T, int blocks, bool sliding, int stride>
void forward(const ConvShape& shape, const ConvForward& job, int64_t first, int64_t last, T* scratch) {
  const int64_t pad = padding(shape), channels = shape.in_channels;
  const int64_t columns = sliding ? shape.width : padded_width(shape), outputs = shape.out_height() * shape.out_width();
  const bool copied = !sliding && pad != 0;
  if (copied) clear_border(shape, scratch);
  for (int64_t image = first; image < last; ++image) {
    const T* x = static_cast<const T*>(job.x) + image * shape.height * shape.width * channels;
    if (copied) {
      for (int64_t row = 0; row < shape.height; ++row)
        __builtin_memcpy(scratch + ((row + pad) * columns + pad) * channels, x + row * shape.width * channels,
                         shape.width * channels * sizeof(T));
      x = scratch;
    }
    for (int64_t channel = 0; channel < shape.out_channels; channel += blocks * width) {
      const T* weights = static_cast<const T*>(job.packed) + channel * channels * shape.kernel * shape.kernel;
      for (int64_t row = 0; row < shape.out_height(); ++row) {
        const Within rows{sliding && row == 0 ? 1 : 0,
                          sliding && row + 1 == shape.height ? shape.kernel - 1 : shape.kernel};
        // Sliding, the first tap lies a row up and a column to the left; what is outside is not read.
        const int64_t start = sliding ? ((row - 1) * columns - 1) * channels : row * stride * columns * channels;
        line<T, blocks, sliding, stride>(shape, job, x + start, weights, rows, channel,
                                         image * outputs + row * shape.out_width());
      }
    }
  }
}

template <typename T>
void forward(const ConvShape& shape, const ConvForward& job, int64_t first, int64_t last, void* scratch) {
  const auto choose = [&](auto wide, auto narrow) { return together(shape) == 2 ? wide : narrow; };
  const auto run = slides(shape)       ? choose(forward<T, 2, true, 1>, forward<T, 1, true, 1>)
                   : shape.stride == 1 ? choose(forward<T, 2, false, 1>, forward<T, 1, false, 1>)
                                       : choose(forward<T, 2, false, 2>, forward<T, 1, false, 2>);
  run(shape, job, first, last, static_cast<T*>(scratch));
}

}  // namespace
}  // namespace distillsharp::DISTILLSHARP_ARCH
