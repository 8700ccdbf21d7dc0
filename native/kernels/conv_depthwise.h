// 3x3 convolutions of each channel by itself: no sums over channels, so a register of channels goes along a row of
// pixels with its nine weights at hand.
#pragma once
#include "conv_products.h"

namespace distillsharp::DISTILLSHARP_ARCH {
namespace {

inline bool depthwise(const ConvShape& shape) {
  return shape.groups >= width && shape.in_channels == 1 && shape.out_channels == 1 && shape.kernel == 3;
}

// Weights and sums: blocks of channels, taps, the block's channels.
inline int64_t depthwise_size(const ConvShape& shape) { return block_count(shape.groups, width) * 9 * width; }
inline int64_t depthwise_block(const ConvShape& shape, int64_t block) {
  return block_start(shape.groups, width, block);
}

template <typename T>
void pack_depthwise(const ConvShape& shape, const ConvWeights& weights, void* packed, int64_t first, int64_t last) {
  T* to = static_cast<T*>(packed);
  for (int64_t channel = first; channel < last; ++channel)
    for (int64_t block = channel / width; block < block_count(shape.groups, width); ++block) {
      const int64_t lane = channel - depthwise_block(shape, block);
      if (lane < 0) break;
      for (int tap = 0; tap < 9; ++tap)
        to[(block * 9 + tap) * width + lane] = rounded(*weights.at(channel, 0, 0, tap / 3, tap % 3), to);
    }
}

// One output of a register of channels; only taps within the image are read.
template <typename T, bool whole>
inline floats depthwise_sum(const ConvShape& shape, const T* x, const floats (&w)[9], floats sum, int64_t top,
                            int64_t left) {
#pragma GCC unroll 3
  for (int row = 0; row < 3; ++row)
#pragma GCC unroll 3
    for (int column = 0; column < 3; ++column) {
      const int64_t at_row = top + row, at_column = left + column;
      if (!whole && (at_row < 0 || at_row >= shape.height || at_column < 0 || at_column >= shape.width)) continue;
      sum += load(x + (at_row * shape.width + at_column) * shape.groups) * w[row * 3 + column];
    }
  return sum;
}

template <typename T>
void depthwise_forward(const ConvShape& shape, const ConvForward& job, int64_t first, int64_t last) {
  const int64_t channels = shape.groups, out_height = shape.out_height(), out_width = shape.out_width();
  for (int64_t image = first; image < last; ++image)
    for (int64_t block = 0; block < block_count(channels, width); ++block) {
      const int64_t channel = depthwise_block(shape, block);
      const T* x = static_cast<const T*>(job.x) + image * shape.height * shape.width * channels + channel;
      floats w[9];
      for (int tap = 0; tap < 9; ++tap) w[tap] = load(static_cast<const T*>(job.packed) + (block * 9 + tap) * width);
      const floats bias = job.bias != nullptr ? load(job.bias + channel) : floats{};
      for (int64_t row = 0; row < out_height; ++row)
        for (int64_t column = 0; column < out_width; ++column) {
          const int64_t top = row * shape.stride - 1, left = column * shape.stride - 1;
          const bool whole = top >= 0 && top + 2 < shape.height && left >= 0 && left + 2 < shape.width;
          floats sum = whole ? depthwise_sum<T, true>(shape, x, w, bias, top, left)
                             : depthwise_sum<T, false>(shape, x, w, bias, top, left);
          const int64_t to = ((image * out_height + row) * out_width + column) * channels + channel;
          if (job.residual != nullptr) sum += load(static_cast<const T*>(job.residual) + to);
          store(static_cast<T*>(job.y) + to, job.relu ? relu(sum) : sum);
        }
    }
}

// The gradient of the inputs: x of the job is the outputs' gradient, y the inputs'.
template <typename T>
void depthwise_back(const ConvShape& shape, const ConvForward& job, int64_t first, int64_t last) {
  const int64_t channels = shape.groups, out_height = shape.out_height(), out_width = shape.out_width();
  for (int64_t image = first; image < last; ++image)
    for (int64_t block = 0; block < block_count(channels, width); ++block) {
      const int64_t channel = depthwise_block(shape, block);
      const T* g = static_cast<const T*>(job.x) + image * out_height * out_width * channels + channel;
      T* y = static_cast<T*>(job.y) + image * shape.height * shape.width * channels + channel;
      floats w[9];
      for (int tap = 0; tap < 9; ++tap) w[tap] = load(static_cast<const T*>(job.packed) + (block * 9 + tap) * width);
      for (int64_t row = 0; row < shape.height; ++row)
        for (int64_t column = 0; column < shape.width; ++column) {
          floats sum{};
          for (int tap_row = 0; tap_row < 3; ++tap_row) {
            const int64_t up = row + 1 - tap_row, from_row = up / shape.stride;
            if (up < 0 || up % shape.stride != 0 || from_row >= out_height) continue;
            for (int tap_column = 0; tap_column < 3; ++tap_column) {
              const int64_t across = column + 1 - tap_column, from_column = across / shape.stride;
              if (across < 0 || across % shape.stride != 0 || from_column >= out_width) continue;
              sum += load(g + (from_row * out_width + from_column) * channels) * w[tap_row * 3 + tap_column];
            }
          }
          store(y + (row * shape.width + column) * channels, sum);
        }
    }
}

template <typename T>
void depthwise_gradient(const ConvShape& shape, const T* x, const T* gradient, float* sums, int64_t first,
                        int64_t last) {
  const int64_t channels = shape.groups, out_height = shape.out_height(), out_width = shape.out_width();
  for (int64_t image = first; image < last; ++image)
    for (int64_t block = 0; block < block_count(channels, width); ++block) {
      const int64_t channel = depthwise_block(shape, block);
      const T* from = x + image * shape.height * shape.width * channels + channel;
      const T* g = gradient + image * out_height * out_width * channels + channel;
      float* kept = sums + block * 9 * width;
      floats sum[9];
      for (int tap = 0; tap < 9; ++tap) sum[tap] = load(kept + tap * width);
      for (int64_t row = 0; row < out_height; ++row)
        for (int64_t column = 0; column < out_width; ++column, g += channels) {
          const floats value = load(g);
          const int64_t top = row * shape.stride - 1, left = column * shape.stride - 1;
          const bool whole = top >= 0 && top + 2 < shape.height && left >= 0 && left + 2 < shape.width;
#pragma GCC unroll 3
          for (int tap_row = 0; tap_row < 3; ++tap_row)
#pragma GCC unroll 3
            for (int tap_column = 0; tap_column < 3; ++tap_column) {
              const int64_t at_row = top + tap_row, at_column = left + tap_column;
              if (!whole && (at_row < 0 || at_row >= shape.height || at_column < 0 || at_column >= shape.width))
                continue;
              sum[tap_row * 3 + tap_column] += value * load(from + (at_row * shape.width + at_column) * channels);
            }
        }
      for (int tap = 0; tap < 9; ++tap) store(kept + tap * width, sum[tap]);
    }
}

void unpack_depthwise(const ConvShape& shape, const float* sums, const ConvWeights& to, int64_t first, int64_t last) {
  for (int64_t channel = first; channel < last; ++channel) {
    const int64_t block = channel / width, lane = channel - depthwise_block(shape, block);
    for (int tap = 0; tap < 9; ++tap) *to.at(channel, 0, 0, tap / 3, tap % 3) = sums[(block * 9 + tap) * width + lane];
  }
}

}  // namespace
}  // namespace distillsharp::DISTILLSHARP_ARCH
