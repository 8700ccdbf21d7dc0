#include "norm.h"

#include "vector.h"

namespace distillsharp::DISTILLSHARP_ARCH {
namespace {

// Channels that are fewer than a register holds.
template <typename T>
inline floats load(const T* from, int count) {
  T padded[width] = {};
  __builtin_memcpy(padded, from, count * sizeof(T));
  return load(padded);
}

template <typename T>
inline void store(T* to, floats value, int count) {
  T padded[width];
  store(padded, value);
  __builtin_memcpy(to, padded, count * sizeof(T));
}

inline floats keep_positive(floats value, floats where) {
  return reinterpret_cast<floats>(reinterpret_cast<words>(value) & reinterpret_cast<words>(where > 0));
}

// A register of channels: the first of them, how many it holds, and which of them no register before has held.
struct Block {
  int64_t channel;
  int count, first;
};

inline void add_to(double* sums, floats values, Block block) {
  for (int i = block.first; i < block.count; ++i) sums[block.channel + i] += values[i];
}

// Rows whose sums are made in float32 before they are added in float64: few enough to stay in the first cache while one
// block of channels after the other is summed.
inline int64_t chunk(int64_t channels) { return channels <= 64 ? 256 : channels <= 512 ? 64 : 16; }

// Calls body for each register of channels. Where their number is no multiple of the width, the last register begins
// earlier and holds some of those before once more.
template <typename Body>
inline void blocks(int64_t channels, Body body) {
  if (channels < width) return body(Block{0, static_cast<int>(channels), 0});
  int64_t c = 0;
  for (; c + width <= channels; c += width) body(Block{c, width, 0});
  if (c < channels) body(Block{channels - width, width, static_cast<int>(c - (channels - width))});
}

template <typename T>
void moments(const NormMoments& job, int64_t first, int64_t last, int64_t channels) {
  const T* x = static_cast<const T*>(job.x);
  const int64_t step = chunk(channels);
  for (int64_t start = first; start < last; start += step) {
    const int64_t end = least(start + step, last);
    blocks(channels, [&](Block block) {
      const int64_t c = block.channel;
      const int count = block.count;
      const floats pivot = load(job.pivot + c, count);
      // Four sums at once: one would wait for itself.
      floats sum[4] = {}, square[4] = {};
      const auto take = [&](int64_t row, int i) {
        const T* from = x + row * channels + c;
        const floats value = (count == width ? load(from) : load(from, count)) - pivot;
        sum[i] += value;
        square[i] += value * value;
      };
      int64_t row = start;
      for (; row + 4 <= end; row += 4)
        for (int i = 0; i < 4; ++i) take(row + i, i);
      for (; row < end; ++row) take(row, 0);
      add_to(job.sum, (sum[0] + sum[1]) + (sum[2] + sum[3]), block);
      add_to(job.square, (square[0] + square[1]) + (square[2] + square[3]), block);
    });
  }
}

template <typename T, bool with_residual, bool with_relu>
void apply(const NormApply& job, int64_t first, int64_t last, int64_t channels) {
  for (int64_t row = first; row < last; ++row) {
    const T* x = static_cast<const T*>(job.x) + row * channels;
    const T* residual = static_cast<const T*>(job.residual) + (with_residual ? row * channels : 0);
    T* y = static_cast<T*>(job.y) + row * channels;
    const auto at = [&](floats value, floats scale, floats shift, floats more) {
      value = value * scale + shift;
      if (with_residual) value += more;
      return with_relu ? relu(value) : value;
    };
    blocks(channels, [&](Block block) {
      const int64_t c = block.channel;
      const int count = block.count;
      if (count == width)
        store(y + c,
              at(load(x + c), load(job.scale + c), load(job.shift + c), with_residual ? load(residual + c) : floats{}));
      else
        store(y + c,
              at(load(x + c, count), load(job.scale + c, count), load(job.shift + c, count),
                 with_residual ? load(residual + c, count) : floats{}),
              count);
    });
  }
}

template <typename T, bool with_relu, bool with_passed>
void reduce(const NormReduce& job, int64_t first, int64_t last, int64_t channels) {
  const T* gradient = static_cast<const T*>(job.gradient);
  const T* y = static_cast<const T*>(job.y);
  const T* x = static_cast<const T*>(job.x);
  T* passed = static_cast<T*>(job.passed);
  const int64_t step = chunk(channels);
  for (int64_t start = first; start < last; start += step) {
    const int64_t end = least(start + step, last);
    blocks(channels, [&](Block block) {
      const int64_t c = block.channel;
      const int count = block.count;
      const floats mean = load(job.mean + c, count);
      floats sum_g[4] = {}, sum_gx[4] = {};
      const auto take = [&](int64_t row, int i) {
        const int64_t at = row * channels + c;
        const bool whole = count == width;
        floats g = whole ? load(gradient + at) : load(gradient + at, count);
        if (with_relu) g = keep_positive(g, whole ? load(y + at) : load(y + at, count));
        if (with_passed) whole ? store(passed + at, g) : store(passed + at, g, count);
        sum_g[i] += g;
        sum_gx[i] += g * ((whole ? load(x + at) : load(x + at, count)) - mean);
      };
      int64_t row = start;
      for (; row + 4 <= end; row += 4)
        for (int i = 0; i < 4; ++i) take(row + i, i);
      for (; row < end; ++row) take(row, 0);
      add_to(job.sum_g, (sum_g[0] + sum_g[1]) + (sum_g[2] + sum_g[3]), block);
      add_to(job.sum_gx, (sum_gx[0] + sum_gx[1]) + (sum_gx[2] + sum_gx[3]), block);
    });
  }
}

template <typename T, bool with_relu>
void gradient(const NormGradient& job, int64_t first, int64_t last, int64_t channels) {
  for (int64_t row = first; row < last; ++row) {
    const T* from = static_cast<const T*>(job.gradient) + row * channels;
    const T* y = static_cast<const T*>(job.y) + (with_relu ? row * channels : 0);
    const T* x = static_cast<const T*>(job.x) + row * channels;
    T* result = static_cast<T*>(job.result) + row * channels;
    const auto at = [](floats g, floats value, floats mean, floats factor, floats mean_g, floats slope) {
      return factor * (g - mean_g - (value - mean) * slope);
    };
    blocks(channels, [&](Block block) {
      const int64_t c = block.channel;
      const int count = block.count;
      const auto read = [&](const auto* values) { return count == width ? load(values + c) : load(values + c, count); };
      floats g = read(from);
      if (with_relu) g = keep_positive(g, read(y));
      const floats value = at(g, read(x), read(job.mean), read(job.factor), read(job.mean_g), read(job.slope));
      count == width ? store(result + c, value) : store(result + c, value, count);
    });
  }
}

template <typename T>
void apply(const NormApply& job, int64_t first, int64_t last, int64_t channels) {
  const auto run = job.residual != nullptr ? (job.relu ? apply<T, true, true> : apply<T, true, false>)
                                           : (job.relu ? apply<T, false, true> : apply<T, false, false>);
  run(job, first, last, channels);
}

template <typename T>
void reduce(const NormReduce& job, int64_t first, int64_t last, int64_t channels) {
  const auto run = job.y != nullptr ? (job.passed != nullptr ? reduce<T, true, true> : reduce<T, true, false>)
                                    : (job.passed != nullptr ? reduce<T, false, true> : reduce<T, false, false>);
  run(job, first, last, channels);
}

template <typename T>
void gradient(const NormGradient& job, int64_t first, int64_t last, int64_t channels) {
  (job.y != nullptr ? gradient<T, true> : gradient<T, false>)(job, first, last, channels);
}

}  // namespace

extern const NormKernels norm_kernels = {
    [](const NormMoments& job, Element element, int64_t first, int64_t last, int64_t channels) {
      (element == Element::bfloat16 ? moments<bfloat16> : moments<float>)(job, first, last, channels);
    },
    [](const NormApply& job, Element element, int64_t first, int64_t last, int64_t channels) {
      (element == Element::bfloat16 ? apply<bfloat16> : apply<float>)(job, first, last, channels);
    },
    [](const NormReduce& job, Element element, int64_t first, int64_t last, int64_t channels) {
      (element == Element::bfloat16 ? reduce<bfloat16> : reduce<float>)(job, first, last, channels);
    },
    [](const NormGradient& job, Element element, int64_t first, int64_t last, int64_t channels) {
      (element == Element::bfloat16 ? gradient<bfloat16> : gradient<float>)(job, first, last, channels);
    },
};

}  // namespace distillsharp::DISTILLSHARP_ARCH
