// 3x3 convolutions of each channel by itself. A register of channels goes over the image with its nine weights at hand;
// to be near and padded, these channels of the image are first copied together.
#pragma once
#include "conv_products.h"

namespace distillsharp::DISTILLSHARP_ARCH {
namespace {

inline bool depthwise(const ConvShape& shape) {
  return shape.groups >= width && shape.in_channels == 1 && shape.out_channels == 1 && shape.kernel == 3;
}

// Weights and sums: blocks of channels, taps, the block's channels.
inline int64_t depthwise_size(const ConvShape& shape) { return block_count(shape.groups, width) * 9 * width; }

inline int64_t depthwise_scratch(const ConvShape& shape) { return padded_height(shape) * padded_width(shape) * width; }

template <typename T>
void pack_depthwise(const ConvShape& shape, const ConvWeights& weights, void* packed, int64_t first, int64_t last) {
  T* to = static_cast<T*>(packed);
  for (int64_t channel = first; channel < last; ++channel)
    for (int64_t block = channel / width; block < block_count(shape.groups, width); ++block) {
      const int64_t lane = channel - block_start(shape.groups, width, block);
      if (lane < 0) break;
      for (int tap = 0; tap < 9; ++tap)
        to[(block * 9 + tap) * width + lane] = rounded(*weights.at(channel, 0, 0, tap / 3, tap % 3), to);
    }
}

// A register of channels of one image, with zeros around: [rows + 2][columns + 2][width].
template <typename T>
inline void surround(const T* from, int64_t channels, int64_t rows, int64_t columns, float* to) {
  const int64_t line = (columns + 2) * width;
  __builtin_memset(to, 0, line * sizeof(float));
  for (int64_t row = 0; row < rows; ++row) {
    float* at = to + (row + 1) * line;
    store(at, floats{});
    for (int64_t column = 0; column < columns; ++column, from += channels) store(at + (column + 1) * width, load(from));
    store(at + line - width, floats{});
  }
  __builtin_memset(to + (rows + 1) * line, 0, line * sizeof(float));
}

template <typename T>
inline void load_taps(const T* from, floats (&taps)[9]) {
#pragma GCC unroll 9
  for (int tap = 0; tap < 9; ++tap) taps[tap] = load(from + tap * width);
}

// `count` outputs side by side, the first tap of the first being at x: each input is loaded once for all that see it.
template <int count, int stride>
inline void depthwise_tile(const float* x, int64_t line, const floats (&w)[9], floats (&sums)[count]) {
#pragma GCC unroll 3
  for (int row = 0; row < 3; ++row)
#pragma GCC unroll 9
    for (int column = 0; column < (count - 1) * stride + 3; ++column) {
      const floats value = load(x + row * line + column * width);
#pragma GCC unroll 4
      for (int i = 0; i < count; ++i)
        if (column >= i * stride && column < i * stride + 3) sums[i] += value * w[row * 3 + column - i * stride];
    }
}

template <typename T, int stride>
void depthwise_image(const ConvShape& shape, const ConvForward& job, const float* x, const floats (&w)[9],
                     int64_t image, int64_t channel) {
  const int64_t channels = shape.groups, line = padded_width(shape) * width, end = shape.out_width();
  const floats bias = job.bias != nullptr ? load(job.bias + channel) : floats{};
  for (int64_t row = 0; row < shape.out_height(); ++row) {
    const int64_t start = ((image * shape.out_height() + row) * end) * channels + channel;
    int64_t column = 0;
    const auto tile = [&](auto& sums, int count) {
      for (int i = 0; i < count; ++i) {
        const int64_t to = start + (column + i) * channels;
        floats value = sums[i] + bias;
        if (job.residual != nullptr) value += load(static_cast<const T*>(job.residual) + to);
        store(static_cast<T*>(job.y) + to, job.relu ? relu(value) : value);
      }
    };
    for (; column + 4 <= end; column += 4) {
      floats sums[4] = {};
      depthwise_tile<4, stride>(x + row * stride * line + column * stride * width, line, w, sums);
      tile(sums, 4);
    }
    for (; column < end; ++column) {
      floats sums[1] = {};
      depthwise_tile<1, stride>(x + row * stride * line + column * stride * width, line, w, sums);
      tile(sums, 1);
    }
  }
}

template <typename T>
void depthwise_forward(const ConvShape& shape, const ConvForward& job, int64_t first, int64_t last, void* memory) {
  float* scratch = static_cast<float*>(memory);
  const int64_t channels = shape.groups;
  for (int64_t image = first; image < last; ++image)
    for (int64_t block = 0; block < block_count(channels, width); ++block) {
      const int64_t channel = block_start(channels, width, block);
      surround(static_cast<const T*>(job.x) + image * shape.height * shape.width * channels + channel, channels,
               shape.height, shape.width, scratch);
      floats w[9];
      load_taps(static_cast<const T*>(job.packed) + block * 9 * width, w);
      (shape.stride == 1 ? depthwise_image<T, 1> : depthwise_image<T, 2>)(shape, job, scratch, w, image, channel);
    }
}

// Stride 2: inputs of even rows see the middle row of taps, those of odd ones the outer two, and so for columns.
template <typename T, int odd_row, int odd_column>
void depthwise_back_kind(const ConvShape& shape, const float* g, const floats (&w)[9], T* y) {
  const int64_t line = (shape.out_width() + 2) * width;
  for (int64_t row = odd_row; row < shape.height; row += 2)
    for (int64_t column = odd_column; column < shape.width; column += 2) {
      const float* from = g + (row / 2 + 1) * line + (column / 2 + 1) * width;
      floats sum{};
#pragma GCC unroll 2
      for (int i = 0; i <= odd_row; ++i)
#pragma GCC unroll 2
        for (int j = 0; j <= odd_column; ++j)
          sum += load(from + i * line + j * width) * w[(odd_row ? 2 - 2 * i : 1) * 3 + (odd_column ? 2 - 2 * j : 1)];
      store(y + (row * shape.width + column) * shape.groups, sum);
    }
}

// The gradient of the inputs: x of the job is the outputs' gradient, y the inputs'.
template <typename T>
void depthwise_back(const ConvShape& shape, const ConvForward& job, int64_t first, int64_t last, void* memory) {
  float* scratch = static_cast<float*>(memory);
  const int64_t channels = shape.groups;
  for (int64_t image = first; image < last; ++image)
    for (int64_t block = 0; block < block_count(channels, width); ++block) {
      const int64_t channel = block_start(channels, width, block);
      surround(static_cast<const T*>(job.x) + image * shape.out_height() * shape.out_width() * channels + channel,
               channels, shape.out_height(), shape.out_width(), scratch);
      floats w[9];
      load_taps(static_cast<const T*>(job.packed) + block * 9 * width, w);
      if (shape.stride == 1) {
        const floats turned[9] = {w[8], w[7], w[6], w[5], w[4], w[3], w[2], w[1], w[0]};
        depthwise_image<T, 1>(shape, job, scratch, turned, image, channel);
        continue;
      }
      T* y = static_cast<T*>(job.y) + image * shape.height * shape.width * channels + channel;
      depthwise_back_kind<T, 0, 0>(shape, scratch, w, y);
      depthwise_back_kind<T, 0, 1>(shape, scratch, w, y);
      depthwise_back_kind<T, 1, 0>(shape, scratch, w, y);
      depthwise_back_kind<T, 1, 1>(shape, scratch, w, y);
    }
}

// The products of `count` gradients side by side with what their windows saw.
template <typename T, int count, int stride>
inline void depthwise_sums(const float* x, int64_t line, const T* gradient, int64_t channels, floats (&sums)[9]) {
  floats g[count];
#pragma GCC unroll 4
  for (int i = 0; i < count; ++i) g[i] = load(gradient + i * channels);
#pragma GCC unroll 3
  for (int row = 0; row < 3; ++row)
#pragma GCC unroll 9
    for (int column = 0; column < (count - 1) * stride + 3; ++column) {
      const floats value = load(x + row * line + column * width);
#pragma GCC unroll 4
      for (int i = 0; i < count; ++i)
        if (column >= i * stride && column < i * stride + 3) sums[row * 3 + column - i * stride] += g[i] * value;
    }
}

template <typename T, int stride>
void depthwise_gradient(const ConvShape& shape, const T* x, const T* gradient, float* sums, int64_t first, int64_t last,
                        void* memory) {
  float* scratch = static_cast<float*>(memory);
  const int64_t channels = shape.groups, line = padded_width(shape) * width, end = shape.out_width();
  for (int64_t image = first; image < last; ++image)
    for (int64_t block = 0; block < block_count(channels, width); ++block) {
      const int64_t channel = block_start(channels, width, block);
      surround(x + image * shape.height * shape.width * channels + channel, channels, shape.height, shape.width,
               scratch);
      const T* g = gradient + image * shape.out_height() * end * channels + channel;
      float* kept = sums + block * 9 * width;
      floats sum[9];
      load_taps(kept, sum);
      for (int64_t row = 0; row < shape.out_height(); ++row, g += end * channels) {
        const float* from = scratch + row * stride * line;
        int64_t column = 0;
        for (; column + 4 <= end; column += 4)
          depthwise_sums<T, 4, stride>(from + column * stride * width, line, g + column * channels, channels, sum);
        for (; column < end; ++column)
          depthwise_sums<T, 1, stride>(from + column * stride * width, line, g + column * channels, channels, sum);
      }
      for (int tap = 0; tap < 9; ++tap) store(kept + tap * width, sum[tap]);
    }
}

void unpack_depthwise(const ConvShape& shape, const float* sums, const ConvWeights& to, int64_t first, int64_t last) {
  for (int64_t channel = first; channel < last; ++channel) {
    const int64_t block = channel / width, lane = channel - block_start(shape.groups, width, block);
    for (int tap = 0; tap < 9; ++tap) *to.at(channel, 0, 0, tap / 3, tap % 3) = sums[(block * 9 + tap) * width + lane];
  }
}

}  // namespace
}  // namespace distillsharp::DISTILLSHARP_ARCH
