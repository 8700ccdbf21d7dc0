// 3x3 convolutions of stride 1 in inference by Winograd's F(2x2, 3x3) (Lavin and Gray, Fast Algorithms for
// Convolutional Neural Networks, CVPR 2016, section 4.1): 16 products for four outputs instead of 36. Patches of 4x4
// inputs and the weights are transformed, multiplied position by position as matrices, and transformed back, all in
// float32 but for the products.
#pragma once
#include "conv_products.h"

namespace distillsharp::DISTILLSHARP_ARCH {
namespace {

constexpr int positions = 16;

// Output channels that are multiplied together, and the most patches of which they are.
constexpr int wide = 2 * width, tall = (registers - 4) / 2 / 6 * 6;

inline int64_t tiles_across(const ConvShape& shape) { return (shape.width + 1) / 2; }
inline int64_t tiles(const ConvShape& shape) { return (shape.height + 1) / 2 * tiles_across(shape); }

// Patches that are transformed before they are multiplied: few enough for the second cache.
inline int64_t patches(const ConvShape& shape, int64_t element_size) {
  return registers < 32 || shape.in_channels * element_size <= 512 ? 64 : 32;
}

// How far apart the positions lie: not at multiples of a page, which would all fall into one set of the first cache.
template <typename T>
inline int64_t input_step(const ConvShape& shape) {
  return patches(shape, sizeof(T)) * shape.in_channels + 64 / static_cast<int64_t>(sizeof(T));
}
template <typename T>
inline int64_t product_step(const ConvShape& shape) {
  return patches(shape, sizeof(T)) * wide + width;
}

// The transformed weights: position, block of output channels, pair of input channels, output channel, its pair.
template <typename T>
inline int64_t winograd_index(const ConvShape& shape, int64_t position, int64_t out, int64_t in) {
  constexpr int depth = Products<T>::depth;
  return (((position * (shape.out_channels / wide) + out / wide) * (shape.in_channels / depth) + in / depth) * wide +
          out % wide) *
             depth +
         in % depth;
}

// G g G': from three taps to four positions.
inline void spread(const float (&from)[3], float (&to)[4]) {
  to[0] = from[0];
  to[1] = 0.5f * (from[0] + from[1] + from[2]);
  to[2] = 0.5f * (from[0] - from[1] + from[2]);
  to[3] = from[2];
}

template <typename T>
void winograd_pack(const ConvShape& shape, const ConvWeights& weights, void* packed, int64_t first, int64_t last) {
  const int64_t step = winograd_index<T>(shape, 1, 0, 0);
  for (int64_t out = first; out < last; ++out)
    for (int64_t in = 0; in < shape.in_channels; ++in) {
      T* to = static_cast<T*>(packed) + winograd_index<T>(shape, 0, out, in);
      const float* from = weights.at(0, out, in, 0, 0);
      float columns[3][4], rows[4];
      for (int column = 0; column < 3; ++column) {
        const float taps[3] = {from[column * weights.column], from[column * weights.column + weights.row],
                               from[column * weights.column + 2 * weights.row]};
        spread(taps, columns[column]);
      }
      for (int row = 0; row < 4; ++row) {
        const float taps[3] = {columns[0][row], columns[1][row], columns[2][row]};
        spread(taps, rows);
        for (int column = 0; column < 4; ++column) to[(row * 4 + column) * step] = rounded(rows[column], to);
      }
    }
}

// B' d B, in place: one dimension of a patch.
inline void patch(floats& a, floats& b, floats& c, floats& d) {
  const floats first = a - c, second = b + c, third = c - b, fourth = b - d;
  a = first;
  b = second;
  c = third;
  d = fourth;
}

// Transforms one patch; from[i] is where its pixel i begins. to: the patch's row at position 0, then `step` further
// each.
template <typename T>
inline void winograd_in(const T* const (&from)[positions], int64_t channels, T* to, int64_t step) {
  for (int64_t c = 0; c < channels; c += width) {
    floats d[positions];
#pragma GCC unroll 16
    for (int i = 0; i < positions; ++i) d[i] = load(from[i] + c);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) patch(d[i], d[4 + i], d[8 + i], d[12 + i]);
#pragma GCC unroll 4
    for (int i = 0; i < 16; i += 4) patch(d[i], d[i + 1], d[i + 2], d[i + 3]);
#pragma GCC unroll 16
    for (int i = 0; i < positions; ++i) store(to + i * step + c, d[i]);
  }
}

// A few rows of a product of matrices: products[row] = inputs[row] x weights, `wide` columns.
template <typename T, int rows>
inline void multiply(const T* inputs, int64_t channels, const T* weights, float* products) {
  using P = Products<T>;
  floats sums[rows][2] = {};
  for (int64_t c = 0; c < channels; c += P::depth, weights += wide * P::depth) {
    const auto left = P::load(weights), right = P::load(weights + width * P::depth);
#pragma GCC unroll 12
    for (int row = 0; row < rows; ++row) {
      const auto value = P::all(inputs + row * channels + c);
      sums[row][0] = P::add(sums[row][0], left, value);
      sums[row][1] = P::add(sums[row][1], right, value);
    }
  }
#pragma GCC unroll 12
  for (int row = 0; row < rows; ++row) {
    store(products + row * wide, sums[row][0]);
    store(products + row * wide + width, sums[row][1]);
  }
}

// A' m A, then what follows the convolution: four outputs of one patch and one register of channels.
template <typename T>
inline void winograd_out(const ConvShape& shape, const ConvForward& job, const float* products, int64_t step,
                         int64_t channel, int64_t at, bool right, bool below) {
  floats m[positions], rows[2][4];
#pragma GCC unroll 16
  for (int i = 0; i < positions; ++i) m[i] = load(products + i * step);
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    rows[0][i] = m[i] + m[4 + i] + m[8 + i];
    rows[1][i] = m[4 + i] - m[8 + i] - m[12 + i];
  }
  const floats bias = job.bias != nullptr ? load(job.bias + channel) : floats{};
  const auto put = [&](int64_t pixel, floats value) {
    const int64_t to = pixel * shape.out_channels + channel;
    value += bias;
    if (job.residual != nullptr) value += load(static_cast<const T*>(job.residual) + to);
    store(static_cast<T*>(job.y) + to, job.relu ? relu(value) : value);
  };
#pragma GCC unroll 2
  for (int row = 0; row < 2; ++row) {
    if (row == 1 && !below) break;
    const floats* r = rows[row];
    put(at + row * shape.width, r[0] + r[1] + r[2]);
    if (right) put(at + row * shape.width + 1, r[1] - r[2] - r[3]);
  }
}

template <typename T>
inline int64_t winograd_scratch(const ConvShape& shape) {
  return positions * (input_step<T>(shape) * static_cast<int64_t>(sizeof(T)) +
                      product_step<T>(shape) * static_cast<int64_t>(sizeof(float))) +
         shape.in_channels * static_cast<int64_t>(sizeof(T));
}

template <typename T>
void winograd(const ConvShape& shape, const ConvForward& job, int64_t first, int64_t last, void* scratch) {
  const int64_t channels = shape.in_channels, across = tiles_across(shape), of_image = tiles(shape),
                most = patches(shape, sizeof(T));
  float* products = static_cast<float*>(scratch);
  const int64_t input = input_step<T>(shape), product = product_step<T>(shape);
  T* inputs = reinterpret_cast<T*>(products + positions * product);
  T* zeros = inputs + positions * input;
  __builtin_memset(zeros, 0, channels * sizeof(T));
  for (int64_t start = first * of_image; start < last * of_image; start += most) {
    const int64_t count = least(most, last * of_image - start);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t image = (start + i) / of_image, tile = (start + i) % of_image;
      const int64_t top = tile / across * 2 - 1, left = tile % across * 2 - 1;
      const T* x = static_cast<const T*>(job.x) + image * shape.height * shape.width * channels;
      const T* from[positions];
      for (int64_t row = 0; row < 4; ++row)
        for (int64_t column = 0; column < 4; ++column) {
          const int64_t y = top + row, z = left + column;
          const bool inside = y >= 0 && y < shape.height && z >= 0 && z < shape.width;
          from[row * 4 + column] = inside ? x + (y * shape.width + z) * channels : zeros;
        }
      winograd_in(from, channels, inputs + i * channels, input);
    }
    for (int64_t out = 0; out < shape.out_channels; out += wide) {
      for (int64_t position = 0; position < positions; ++position) {
        const T* weights = static_cast<const T*>(job.packed) + winograd_index<T>(shape, position, out, 0);
        const T* rows = inputs + position * input;
        float* to = products + position * product;
        int64_t i = 0;
        for (; i + tall <= count; i += tall) multiply<T, tall>(rows + i * channels, channels, weights, to + i * wide);
        for (; i + 4 <= count; i += 4) multiply<T, 4>(rows + i * channels, channels, weights, to + i * wide);
        for (; i < count; ++i) multiply<T, 1>(rows + i * channels, channels, weights, to + i * wide);
      }
      for (int64_t i = 0; i < count; ++i) {
        const int64_t image = (start + i) / of_image, tile = (start + i) % of_image;
        const int64_t y = tile / across * 2, z = tile % across * 2;
        const int64_t at = (image * shape.height + y) * shape.width + z;
        for (int half = 0; half < 2; ++half)
          winograd_out<T>(shape, job, products + i * wide + half * width, product, out + half * width, at,
                          z + 1 < shape.width, y + 1 < shape.height);
      }
    }
  }
}

}  // namespace
}  // namespace distillsharp::DISTILLSHARP_ARCH
