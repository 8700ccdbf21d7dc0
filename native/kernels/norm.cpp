#include "norm.h"

#include "vector.h"

namespace distillsharp::DISTILLSHARP_ARCH {
namespace {

// The last channels, where their number is no multiple of the width.
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

inline void add_to(double* sums, floats values, int count) {
  for (int i = 0; i < count; ++i) sums[i] += values[i];
}

// Rows whose sums are made in float32 before they are added in float64: few enough to stay in the first cache while one
// block of channels after the other is summed.
inline int64_t chunk(int64_t channels) { return channels <= 64 ? 256 : channels <= 512 ? 64 : 16; }

// Calls body(channel, count) for each block of channels.
template <typename Body>
inline void blocks(int64_t channels, Body body) {
  int64_t c = 0;
  for (; c + width <= channels; c += width) body(c, width);
  if (c < channels) body(c, static_cast<int>(channels - c));
}

template <typename T>
void moments(const NormMoments& job, int64_t first, int64_t last, int64_t channels) {
  const T* x = static_cast<const T*>(job.x);
  const int64_t step = chunk(channels);
  for (int64_t start = first; start < last; start += step) {
    const int64_t end = least(start + step, last);
    blocks(channels, [&](int64_t c, int count) {
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
      add_to(job.sum + c, (sum[0] + sum[1]) + (sum[2] + sum[3]), count);
      add_to(job.square + c, (square[0] + square[1]) + (square[2] + square[3]), count);
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
    int64_t c = 0;
    for (; c + width <= channels; c += width)
      store(y + c,
            at(load(x + c), load(job.scale + c), load(job.shift + c), with_residual ? load(residual + c) : floats{}));
    if (const int rest = static_cast<int>(channels - c); rest > 0)
      store(y + c,
            at(load(x + c, rest), load(job.scale + c, rest), load(job.shift + c, rest),
               with_residual ? load(residual + c, rest) : floats{}),
            rest);
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
    blocks(channels, [&](int64_t c, int count) {
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
      add_to(job.sum_g + c, (sum_g[0] + sum_g[1]) + (sum_g[2] + sum_g[3]), count);
      add_to(job.sum_gx + c, (sum_gx[0] + sum_gx[1]) + (sum_gx[2] + sum_gx[3]), count);
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
    int64_t c = 0;
    for (; c + width <= channels; c += width) {
      floats g = load(from + c);
      if (with_relu) g = keep_positive(g, load(y + c));
      store(result + c,
            at(g, load(x + c), load(job.mean + c), load(job.factor + c), load(job.mean_g + c), load(job.slope + c)));
    }
    if (const int rest = static_cast<int>(channels - c); rest > 0) {
      floats g = load(from + c, rest);
      if (with_relu) g = keep_positive(g, load(y + c, rest));
      store(result + c,
            at(g, load(x + c, rest), load(job.mean + c, rest), load(job.factor + c, rest), load(job.mean_g + c, rest),
               load(job.slope + c, rest)),
            rest);
    }
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
