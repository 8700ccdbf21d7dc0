// 3x3 convolutions of stride 1, and their gradients, by Winograd's F(4x4, 3x3) (Lavin and Gray, Fast Algorithms for
// Convolutional Neural Networks, CVPR 2016, section 4): 36 products for 16 outputs instead of 144. Patches of inputs
// and the weights are transformed, multiplied position by position as matrices, and transformed back, in float32
// whatever the images are of. The points 0, +-5/8, +-3/2 and infinity round half as much as the usual 0, +-1, +-2, and
// twice as much as the direct way (root mean square, 64 channels).
#pragma once
#include "conv_products.h"

namespace distillsharp::DISTILLSHARP_ARCH {
namespace {

// Outputs and inputs along a side of a patch.
constexpr int outputs_across = 4, inputs_across = 6, positions = inputs_across * inputs_across;

// Registers of output channels that are multiplied together, and the most rows of which they are.
inline int winograd_blocks(const ConvShape& shape) { return shape.out_channels % (2 * width) == 0 ? 2 : 1; }
template <int blocks>
constexpr int tall = (registers - 4) / blocks / 2 * 2;

// Patches that are transformed before they are multiplied: few enough for the second cache.
inline int64_t patches(const ConvShape& shape) { return shape.in_channels <= 56 ? 64 : 32; }

// How far apart the positions lie: not at multiples of a page, which would all fall into one set of the first cache.
inline int64_t patch_step(const ConvShape& shape, int64_t channels) { return patches(shape) * channels + 2 * width; }
inline int64_t weight_step(const ConvShape& shape) { return shape.in_channels * shape.out_channels + 2 * width; }
inline int64_t winograd_size(const ConvShape& shape) { return positions * weight_step(shape); }

// The transformed weights of one position: block of output channels, input channel, output channel.
inline int64_t winograd_index(const ConvShape& shape, int64_t out, int64_t in) {
  const int64_t size = winograd_blocks(shape) * width;
  return (out / size * shape.in_channels + in) * size + out % size;
}

// The points beside 0 and infinity, their squares, and what scales the weights at 0 and there.
struct Points {
  static constexpr float a = 0.625f, b = 1.5f, aa = a * a, bb = b * b, at_0 = 1 / (aa * bb),
                         at_a = 0.5f / (aa * (aa - bb)), at_b = 0.5f / (bb * (bb - aa));
};

// The transformations along one dimension: of the inputs (B'), the weights (G) and the outputs (A'), and what carries
// gradients the other way: of the outputs (A) and of the weights (G').
struct Inputs : Points {
  static constexpr int from = 6, to = 6;
  static void turn(const floats (&d)[6], floats (&y)[6]) {
    const floats even_a = d[4] - bb * d[2], odd_a = d[3] - bb * d[1], even_b = d[4] - aa * d[2],
                 odd_b = d[3] - aa * d[1];
    y[0] = aa * bb * d[0] - (aa + bb) * d[2] + d[4];
    y[1] = even_a + a * odd_a;
    y[2] = even_a - a * odd_a;
    y[3] = even_b + b * odd_b;
    y[4] = even_b - b * odd_b;
    y[5] = aa * bb * d[1] - (aa + bb) * d[3] + d[5];
  }
};
struct Weights : Points {
  static constexpr int from = 3, to = 6;
  static void turn(const floats (&g)[3], floats (&y)[6]) {
    const floats even_a = g[0] + aa * g[2], even_b = g[0] + bb * g[2];
    y[0] = at_0 * g[0];
    y[1] = at_a * (even_a + a * g[1]);
    y[2] = at_a * (even_a - a * g[1]);
    y[3] = at_b * (even_b + b * g[1]);
    y[4] = at_b * (even_b - b * g[1]);
    y[5] = g[2];
  }
};
struct Outputs : Points {
  static constexpr int from = 6, to = 4;
  static void turn(const floats (&m)[6], floats (&y)[4]) {
    const floats even_a = m[1] + m[2], odd_a = m[1] - m[2], even_b = m[3] + m[4], odd_b = m[3] - m[4];
    y[0] = m[0] + even_a + even_b;
    y[1] = a * odd_a + b * odd_b;
    y[2] = aa * even_a + bb * even_b;
    y[3] = aa * a * odd_a + bb * b * odd_b + m[5];
  }
};
struct OutputGradients : Points {
  static constexpr int from = 4, to = 6;
  static void turn(const floats (&g)[4], floats (&y)[6]) {
    const floats even_a = g[0] + aa * g[2], odd_a = a * g[1] + aa * a * g[3], even_b = g[0] + bb * g[2],
                 odd_b = b * g[1] + bb * b * g[3];
    y[0] = g[0];
    y[1] = even_a + odd_a;
    y[2] = even_a - odd_a;
    y[3] = even_b + odd_b;
    y[4] = even_b - odd_b;
    y[5] = g[3];
  }
};
struct WeightGradients : Points {
  static constexpr int from = 6, to = 3;
  static void turn(const floats (&s)[6], floats (&y)[3]) {
    const floats even_a = at_a * (s[1] + s[2]), odd_a = at_a * (s[1] - s[2]), even_b = at_b * (s[3] + s[4]),
                 odd_b = at_b * (s[3] - s[4]);
    y[0] = at_0 * s[0] + even_a + even_b;
    y[1] = a * odd_a + b * odd_b;
    y[2] = aa * even_a + bb * even_b + s[5];
  }
};

// A transformation along both dimensions of what read(row, column) gives; write(row, column, value) takes the result.
template <typename Along, typename Read, typename Write>
[[gnu::always_inline]] inline void transform(const Read& read, const Write& write) {
  floats columns[Along::to][Along::from];
#pragma GCC unroll 6
  for (int column = 0; column < Along::from; ++column) {
    floats line[Along::from], turned[Along::to];
#pragma GCC unroll 6
    for (int row = 0; row < Along::from; ++row) line[row] = read(row, column);
    Along::turn(line, turned);
#pragma GCC unroll 6
    for (int row = 0; row < Along::to; ++row) columns[row][column] = turned[row];
  }
#pragma GCC unroll 6
  for (int row = 0; row < Along::to; ++row) {
    floats turned[Along::to];
    Along::turn(columns[row], turned);
#pragma GCC unroll 6
    for (int column = 0; column < Along::to; ++column) write(row, column, turned[column]);
  }
}

void winograd_pack(const ConvShape& shape, const ConvWeights& weights, void* packed, int64_t first, int64_t last) {
  for (int64_t out = first; out < last; out += width)
    for (int64_t in = 0; in < shape.in_channels; ++in) {
      float* to = static_cast<float*>(packed) + winograd_index(shape, out, in);
      transform<Weights>(
          [&](int row, int column) {
            floats taps;
            for (int lane = 0; lane < width; ++lane) taps[lane] = *weights.at(0, out + lane, in, row, column);
            return taps;
          },
          [&](int row, int column, floats value) {
            store(to + (row * inputs_across + column) * weight_step(shape), value);
          });
    }
}

// The patches of some images, one after the other: where the outputs of one begin.
struct Patch {
  const ConvShape& shape;
  int64_t image, y, x;

  bool whole() const { return y + outputs_across <= shape.height && x + outputs_across <= shape.width; }
  int64_t pixel() const { return (image * shape.height + y) * shape.width + x; }

  void operator++() {
    x += outputs_across;
    if (x >= shape.width) x = 0, y += outputs_across;
    if (y >= shape.height) y = 0, ++image;
  }
};

inline int64_t patches_of_image(const ConvShape& shape) {
  return block_count(shape.height, outputs_across) * block_count(shape.width, outputs_across);
}

// How many patches before it is needed what a patch adds to its neighbor's pixels is fetched: the third cache answers
// late, and whole batches lie there.
constexpr int patches_ahead = 3;

// Transforms some patches, which begin `margin` pixels before their outputs, to to[position][patch][channel]; pixels
// beyond the image are zeros.
template <typename Along, int margin, typename T>
[[gnu::noinline]] void transform_patches(Patch patch, int64_t count, const T* images, int64_t channels, const T* zeros,
                                         float* to, int64_t step) {
  constexpr int side = Along::from;
  constexpr int64_t fetched = 64 / sizeof(T);
  const int64_t height = patch.shape.height, line = patch.shape.width * channels;
  Patch soon = patch;
  for (int i = 0; i < patches_ahead; ++i) ++soon;
  for (int64_t i = 0; i < count; ++i, ++patch, ++soon, to += channels) {
    const int64_t added = soon.pixel() + side - outputs_across - margin * (patch.shape.width + 1);
    for (int row = 0; row < side; ++row)
      for (int64_t at = 0; at < outputs_across * channels; at += fetched)
        __builtin_prefetch(images + added * channels + row * line + at);
    const T *image = images + patch.image * height * line, *from[side][side];
    const int64_t x = (patch.x - margin) * channels;
    for (int row = 0; row < side; ++row) {
      const int64_t y = patch.y + row - margin;
      const bool inside = y >= 0 && y < height;
      for (int column = 0; column < side; ++column) {
        const int64_t at = x + column * channels;
        from[row][column] = inside && at >= 0 && at < line ? image + y * line + at : zeros;
      }
    }
    for (int64_t c = 0; c < channels; c += width)
      transform<Along>(
          [&](int row, int column) { return load(from[row][column] + c); },
          [&](int row, int column, floats value) { store(to + (row * Along::to + column) * step + c, value); });
  }
}

// A product of matrices, sum over i < depth of left[row][i] * right[i][column] for `blocks` registers of columns; or,
// for gradients, of left[i][row] * right[i][column], which is added to what is there.
struct Product {
  const float* left;
  int64_t left_step, depth;
  const float* right;
  int64_t right_step;
  float* to;
};

template <int blocks, bool gradient, int rows>
inline void multiply(const Product& product, int64_t first) {
  floats sums[rows][blocks];
  float* to = product.to + first * blocks * width;
#pragma GCC unroll 28
  for (int row = 0; row < rows; ++row)
#pragma GCC unroll 2
    for (int block = 0; block < blocks; ++block)
      sums[row][block] = gradient ? load(to + (row * blocks + block) * width) : floats{};
  const float *left = product.left + first * (gradient ? 1 : product.left_step), *right = product.right;
  for (int64_t i = 0; i < product.depth; ++i, left += gradient ? product.left_step : 1, right += product.right_step) {
    floats w[blocks];
#pragma GCC unroll 2
    for (int block = 0; block < blocks; ++block) w[block] = load(right + block * width);
#pragma GCC unroll 28
    for (int row = 0; row < rows; ++row) {
      const float value = left[gradient ? row : row * product.left_step];
#pragma GCC unroll 2
      for (int block = 0; block < blocks; ++block) sums[row][block] += w[block] * value;
    }
  }
#pragma GCC unroll 28
  for (int row = 0; row < rows; ++row)
#pragma GCC unroll 2
    for (int block = 0; block < blocks; ++block) store(to + (row * blocks + block) * width, sums[row][block]);
}

template <int blocks, bool gradient, int rows>
inline void multiply(const Product& product, int64_t first, int64_t last) {
  if (last - first == rows) return multiply<blocks, gradient, rows>(product, first);
  if constexpr (rows > 1) multiply<blocks, gradient, rows - 1>(product, first, last);
}

// All rows, in parts as even as they can be: a part of few rows would leave the processor waiting for its sums.
template <int blocks, bool gradient>
[[gnu::noinline]] void multiply(const Product& product, int64_t rows) {
  const int64_t parts = (rows + tall<blocks> - 1) / tall<blocks>;
  for (int64_t part = 0; part < parts; ++part)
    multiply<blocks, gradient, tall<blocks>>(product, rows * part / parts, rows * (part + 1) / parts);
}

// Floats that a thread needs, ahead or for the weights' gradient.
inline int64_t winograd_scratch(const ConvShape& shape) {
  const int64_t channels = shape.in_channels + shape.out_channels;
  return positions * (patch_step(shape, channels) + 2 * width) + channels;
}

// The outputs of some patches and `blocks` registers of channels, with what follows the convolution.
template <typename T, int blocks>
[[gnu::noinline]] void finish_patches(Patch patch, int64_t count, const ConvForward& job, int64_t channel,
                                      const float* products, int64_t step) {
  const int64_t channels = patch.shape.out_channels, line = patch.shape.width * channels;
  floats bias[blocks] = {};
  for (int block = 0; block < blocks && job.bias != nullptr; ++block)
    bias[block] = load(job.bias + channel + block * width);
  for (int64_t i = 0; i < count; ++i, ++patch)
    for (int block = 0; block < blocks; ++block, products += width) {
      const int64_t first = patch.pixel() * channels + channel + block * width;
      const bool whole = patch.whole();
      transform<Outputs>([&](int row, int column) { return load(products + (row * inputs_across + column) * step); },
                         [&](int row, int column, floats value) {
                           if (!whole && (patch.y + row >= patch.shape.height || patch.x + column >= patch.shape.width))
                             return;
                           const int64_t to = first + row * line + column * channels;
                           value += bias[block];
                           if (job.residual != nullptr) value += load(static_cast<const T*>(job.residual) + to);
                           store(static_cast<T*>(job.y) + to, job.relu ? relu(value) : value);
                         });
    }
}

template <typename T, int blocks>
void winograd(const ConvShape& shape, const ConvForward& job, int64_t first, int64_t last, float* products) {
  constexpr int wide = blocks * width;
  const int64_t channels = shape.in_channels, input_step = patch_step(shape, channels),
                product_step = patch_step(shape, wide);
  float* inputs = products + positions * product_step;
  T* zeros = reinterpret_cast<T*>(inputs + positions * input_step);
  __builtin_memset(zeros, 0, channels * sizeof(T));
  Patch patch{shape, first, 0, 0};
  for (int64_t left = (last - first) * patches_of_image(shape), count; left > 0; left -= count) {
    count = least(left, patches(shape));
    transform_patches<Inputs, 1>(patch, count, static_cast<const T*>(job.x), channels, zeros, inputs, input_step);
    for (int64_t out = 0; out < shape.out_channels; out += wide) {
      const float* weights = static_cast<const float*>(job.packed) + winograd_index(shape, out, 0);
      for (int64_t position = 0; position < positions; ++position)
        multiply<blocks, false>({inputs + position * input_step, channels, channels,
                                 weights + position * weight_step(shape), wide, products + position * product_step},
                                count);
      finish_patches<T, blocks>(patch, count, job, out, products, product_step);
    }
    for (int64_t i = 0; i < count; ++i) ++patch;
  }
}

template <typename T>
void winograd(const ConvShape& shape, const ConvForward& job, int64_t first, int64_t last, void* scratch) {
  (winograd_blocks(shape) == 2 ? winograd<T, 2> : winograd<T, 1>)(shape, job, first, last,
                                                                  static_cast<float*>(scratch));
}

// The weights' gradient, G' [sum over patches of (B' d B) * (A g A')] G: the sums lie as the transformed weights do.
template <typename T, int blocks>
void winograd_gradient(const ConvShape& shape, const T* x, const T* gradient, float* sums, int64_t first, int64_t last,
                       float* inputs) {
  constexpr int wide = blocks * width;
  const int64_t ins = shape.in_channels, outs = shape.out_channels, input_step = patch_step(shape, ins),
                gradient_step = patch_step(shape, outs);
  float* gradients = inputs + positions * input_step;
  T* zeros = reinterpret_cast<T*>(gradients + positions * gradient_step);
  __builtin_memset(zeros, 0, (ins + outs) * sizeof(T));
  Patch patch{shape, first, 0, 0};
  for (int64_t left = (last - first) * patches_of_image(shape), count; left > 0; left -= count) {
    count = least(left, patches(shape));
    transform_patches<Inputs, 1>(patch, count, x, ins, zeros, inputs, input_step);
    transform_patches<OutputGradients, 0>(patch, count, gradient, outs, zeros, gradients, gradient_step);
    for (int64_t position = 0; position < positions; ++position)
      for (int64_t out = 0; out < outs; out += wide)
        multiply<blocks, true>({inputs + position * input_step, ins, count, gradients + position * gradient_step + out,
                                outs, sums + position * weight_step(shape) + winograd_index(shape, out, 0)},
                               ins);
    for (int64_t i = 0; i < count; ++i) ++patch;
  }
}

template <typename T>
void winograd_gradient(const ConvShape& shape, const T* x, const T* gradient, float* sums, int64_t first, int64_t last,
                       void* scratch) {
  (winograd_blocks(shape) == 2 ? winograd_gradient<T, 2> : winograd_gradient<T, 1>)(shape, x, gradient, sums, first,
                                                                                    last, static_cast<float*>(scratch));
}

void winograd_unpack(const ConvShape& shape, const float* sums, const ConvWeights& to, int64_t first, int64_t last) {
  for (int64_t out = first; out < last; out += width)
    for (int64_t in = 0; in < shape.in_channels; ++in) {
      const float* from = sums + winograd_index(shape, out, in);
      transform<WeightGradients>(
          [&](int row, int column) { return load(from + (row * inputs_across + column) * weight_step(shape)); },
          [&](int row, int column, floats value) {
            for (int lane = 0; lane < width; ++lane) *to.at(0, out + lane, in, row, column) = value[lane];
          });
    }
}

}  // namespace
}  // namespace distillsharp::DISTILLSHARP_ARCH
