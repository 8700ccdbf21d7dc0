// A tile of outputs whose sums stay in registers: some pixels side by side, and one or two registers of channels.
#pragma once
#include "conv_products.h"

namespace distillsharp::DISTILLSHARP_ARCH {
namespace {

// Sums of the widest tiles: of windows, and of sliding ones, where three taps need registers as well.
constexpr int window_tile = registers == 32 ? 16 : 12, sliding_tile = registers == 32 ? 16 : 8;

template <int number>
struct Constant {
  static constexpr int value = number;
};

// Where a row of outputs goes: the pixel that it begins with, the elements of a pixel, the pixels from one to the next.
struct ConvOutputs {
  const ConvForward& job;
  int64_t first, pixel_size, step;
};

template <int pixels, int blocks>
inline void begin(const ConvOutputs& outputs, int64_t channel, floats (&sums)[pixels][blocks]) {
#pragma GCC unroll 2
  for (int block = 0; block < blocks; ++block) {
    const floats bias = outputs.job.bias != nullptr ? load(outputs.job.bias + channel + block * width) : floats{};
#pragma GCC unroll 16
    for (int pixel = 0; pixel < pixels; ++pixel) sums[pixel][block] = bias;
  }
}

template <typename T, int pixels, int blocks>
inline void finish(const ConvOutputs& outputs, int64_t channel, int64_t at, floats (&sums)[pixels][blocks]) {
  const ConvForward& job = outputs.job;
#pragma GCC unroll 16
  for (int pixel = 0; pixel < pixels; ++pixel)
#pragma GCC unroll 2
    for (int block = 0; block < blocks; ++block) {
      const int64_t to = (outputs.first + (at + pixel) * outputs.step) * outputs.pixel_size + channel + block * width;
      floats value = sums[pixel][block];
      if (job.residual != nullptr) value += load(static_cast<const T*>(job.residual) + to);
      store(static_cast<T*>(job.y) + to, job.relu ? relu(value) : value);
    }
}

// Windows of rows x columns taps over images that come padded. Distances in elements: from one pixel to the next, from
// one row to the next, from one output's first tap to the next one's.
template <typename T, int blocks>
struct Windows {
  int rows, columns;
  int64_t channels, pixel_size, line, step;

  template <int pixels>
  void tile(const ConvOutputs& outputs, const T* x, const T* weights, int64_t channel, int64_t pixel) const {
    floats sums[pixels][blocks];
    begin(outputs, channel, sums);
    accumulate(x + pixel * step, weights, sums);
    finish<T>(outputs, channel, pixel, sums);
  }

  template <int pixels>
  void accumulate(const T* x, const T* weights, floats (&sums)[pixels][blocks]) const {
    using P = Products<T>;
    constexpr int size = blocks * width * P::depth;
    for (int row = 0; row < rows; ++row, x += line)
      for (int column = 0; column < columns; ++column) {
        // Every third pixel has a pointer: those between are reached by the processor's own addressing.
        const T* from[(pixels + 2) / 3];
#pragma GCC unroll 6
        for (int i = 0; i < (pixels + 2) / 3; ++i) from[i] = x + column * pixel_size + 3 * i * step;
        for (int64_t c = 0; c < channels; c += P::depth, weights += size) {
          typename P::operands w[blocks];
#pragma GCC unroll 2
          for (int block = 0; block < blocks; ++block) w[block] = P::load(weights + block * width * P::depth);
#pragma GCC unroll 16
          for (int pixel = 0; pixel < pixels; ++pixel) {
            const auto value = P::all(from[pixel / 3] + pixel % 3 * step);
#pragma GCC unroll 2
            for (int block = 0; block < blocks; ++block)
              sums[pixel][block] = P::add(sums[pixel][block], w[block], value);
          }
#pragma GCC unroll 6
          for (int i = 0; i < (pixels + 2) / 3; ++i) from[i] += P::depth;
        }
      }
  }
};

// A row of outputs in tiles as wide as fit.
template <int blocks, int widest, typename Source, typename T>
inline void tiles(const Source& source, const ConvOutputs& outputs, const T* x, const T* weights, int64_t channel,
                  int64_t end) {
  int64_t pixel = 0;
  const auto run = [&](auto size) {
    constexpr int pixels = decltype(size)::value;
    // What one and a third tile would hold is better cut in halves: few sums leave the processor waiting for them.
    for (; pixel + pixels <= end && (end - pixel) * 3 != pixels * 4; pixel += pixels)
      source.template tile<pixels>(outputs, x, weights, channel, pixel);
  };
  run(Constant<widest>());
  if constexpr (widest > 8) run(Constant<8>());
  run(Constant<4>());
  run(Constant<1>());
}

}  // namespace
}  // namespace distillsharp::DISTILLSHARP_ARCH
