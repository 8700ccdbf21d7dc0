// The weights' gradient: sum over images and outputs of gradient[output, out] * x[output * stride + tap, in]
#pragma once
#include "conv_products.h"

namespace distillsharp::DISTILLSHARP_ARCH {
namespace {

// Input channels whose sums are in registers together.
constexpr int ins = registers == 32 ? 8 : 4;

// With stride 1 and three rows of taps, a row of inputs meets three rows of gradients while it is in a register;
// otherwise blocks of output channels meet one.
inline int vectors(const ConvShape& shape) { return slides(shape) ? 3 : together(shape.out_channels); }

// Output channels of a block of sums.
inline int64_t outs(const ConvShape& shape) { return slides(shape) ? width : vectors(shape) * width; }

inline int64_t in_blocks(const ConvShape& shape) { return block_count(shape.in_channels, ins); }
inline int64_t out_blocks(const ConvShape& shape) { return block_count(shape.out_channels, outs(shape)); }

// The sums of one group: blocks of output channels, blocks of input channels, taps, then registers of `ins` inputs.
inline int64_t group_sums(const ConvShape& shape) {
  return out_blocks(shape) * outs(shape) * in_blocks(shape) * ins * shape.kernel * shape.kernel;
}

// Where the sums of an output channel and the first input channel of a block lie; those of the next input channels
// follow a register later each.
inline int64_t sum_index(const ConvShape& shape, int64_t out, int64_t in_block, int64_t row, int64_t column) {
  const int64_t k = shape.kernel, size = outs(shape), block = out / size,
                lane = out - block_start(shape.out_channels, size, block);
  const int64_t blocks = block * in_blocks(shape) + in_block;
  const int64_t vector = slides(shape) ? (blocks * k + column) * k + row
                                       : ((blocks * k + row) * k + column) * vectors(shape) + lane / width;
  return vector * ins * width + lane % width;
}

void unpack(const ConvShape& shape, const float* sums, const ConvWeights& to, int64_t first, int64_t last) {
  for (int64_t at = first; at < last; ++at) {
    const int64_t group = at / shape.out_channels, out = at % shape.out_channels;
    for (int64_t row = 0; row < shape.kernel; ++row)
      for (int64_t column = 0; column < shape.kernel; ++column)
        for (int64_t block = 0; block < in_blocks(shape); ++block) {
          const int64_t in = block_start(shape.in_channels, ins, block);
          const float* from = sums + group * group_sums(shape) + sum_index(shape, out, block, row, column);
          float* target = to.at(group, out, in, row, column);
          for (int64_t i = 0; i < least(ins, shape.in_channels - in); ++i) target[i * to.in] = from[i * width];
        }
  }
}

// How one image's inputs and gradients lie for summing: blocks of `ins` input channels, registers of output channels. A
// position of a row holds one pixel of float32, two of bfloat16.
template <typename T>
struct Arranged {
  bool in_place;  // as they came: blocks are not apart
  const T* x;
  int64_t x_block, x_row, x_channel, x_position;
  int64_t tap[3];  // where the inputs of each column of taps begin
  const T* gradient;
  int64_t g_vector, g_row, g_position;
  const T* zeros;  // a row of gradients that are zero
  int64_t positions;
};

// float32: a block's channels of one pixel beside those of the next, so that what is summed together lies together, and
// not at distances that fall into one set of the first cache. One tap of few channels is not worth the copy.
inline bool in_place(const ConvShape& shape) {
  return shape.kernel == 1 && shape.in_channels >= ins && shape.in_pixel() + shape.out_pixel() <= 112;
}
inline int64_t arranged_x(const ConvShape& shape, float*) {
  return in_place(shape) ? 0 : shape.groups * in_blocks(shape) * ins * shape.height * padded_width(shape);
}
inline int64_t arranged_g(const ConvShape& shape, float*) {
  return in_place(shape) ? 0 : shape.groups * out_blocks(shape) * outs(shape) * shape.out_height() * shape.out_width();
}
inline int64_t zero_row(const ConvShape& shape, float*) { return slides(shape) ? shape.out_width() * width : 0; }

template <int count>
inline void copy_channels(const float* from, int64_t pixel, int64_t columns, float* to) {
  for (int64_t column = 0; column < columns; ++column, from += pixel, to += count)
    __builtin_memcpy(to, from, count * sizeof(float));
}

inline Arranged<float> arrange(const ConvShape& shape, const float* x, const float* gradient, float* scratch) {
  if (in_place(shape))
    return {true,
            x,
            0,
            shape.width * shape.in_pixel(),
            1,
            shape.stride * shape.in_pixel(),
            {0, 0, 0},
            gradient,
            width,
            shape.out_width() * shape.out_pixel(),
            shape.out_pixel(),
            scratch,
            shape.out_width()};
  const int64_t pad = padding(shape), columns = padded_width(shape), x_block = shape.height * columns * ins;
  const int64_t g_vector = shape.out_height() * shape.out_width() * width, vectors_of_block = outs(shape) / width;
  float* inputs = scratch + zero_row(shape, scratch);
  float* outputs = inputs + arranged_x(shape, scratch);
  for (int64_t group = 0; group < shape.groups; ++group) {
    for (int64_t block = 0; block < in_blocks(shape); ++block) {
      float* to = inputs + (group * in_blocks(shape) + block) * x_block + pad * ins;
      const float* from = x + group * shape.in_channels + block_start(shape.in_channels, ins, block);
      for (int64_t row = 0; row < shape.height; ++row, to += columns * ins, from += shape.width * shape.in_pixel())
        if (shape.in_channels >= ins)
          copy_channels<ins>(from, shape.in_pixel(), shape.width, to);
        else
          for (int64_t column = 0; column < shape.width; ++column)
            for (int64_t i = 0; i < shape.in_channels; ++i) to[column * ins + i] = from[column * shape.in_channels + i];
    }
    for (int64_t vector = 0; vector < out_blocks(shape) * vectors_of_block; ++vector) {
      const int64_t out =
          block_start(shape.out_channels, outs(shape), vector / vectors_of_block) + vector % vectors_of_block * width;
      copy_channels<width>(gradient + group * shape.out_channels + out, shape.out_pixel(),
                           shape.out_height() * shape.out_width(),
                           outputs + (group * out_blocks(shape) * vectors_of_block + vector) * g_vector);
    }
  }
  return {false,
          inputs,
          x_block,
          columns * ins,
          1,
          shape.stride * ins,
          {0, ins, 2 * ins},
          outputs,
          g_vector,
          shape.out_width() * width,
          width,
          scratch,
          shape.out_width()};
}

#if defined(__AVX512BF16__)
// Eight pixels of eight channels, from pixels that are `from_step` apart to channels that are `to_step` apart.
inline void transpose(const bfloat16* from, int64_t from_step, bfloat16* to, int64_t to_step) {
  __m128i a[8], b[8];
  for (int i = 0; i < 4; ++i) {
    const __m128i first = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + 2 * i * from_step));
    const __m128i second = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + (2 * i + 1) * from_step));
    a[2 * i] = _mm_unpacklo_epi16(first, second);
    a[2 * i + 1] = _mm_unpackhi_epi16(first, second);
  }
  for (int i = 0; i < 8; i += 4)
    for (int half = 0; half < 2; ++half) {
      b[i + 2 * half] = _mm_unpacklo_epi32(a[i + half], a[i + half + 2]);
      b[i + 2 * half + 1] = _mm_unpackhi_epi32(a[i + half], a[i + half + 2]);
    }
  for (int i = 0; i < 4; ++i) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 2 * i * to_step), _mm_unpacklo_epi64(b[i], b[i + 4]));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + (2 * i + 1) * to_step), _mm_unpackhi_epi64(b[i], b[i + 4]));
  }
}

// bfloat16: inputs with their columns last, so that two neighbours are one operand; with stride 2 the even columns
// first, then the odd ones. Gradients as pairs of neighbouring columns.
inline int64_t half_row(const ConvShape& shape) { return padded_width(shape) / 2 + 2; }
inline int64_t arranged_row(const ConvShape& shape) {
  return shape.stride == 1 ? padded_width(shape) + 2 : 2 * half_row(shape);
}
inline int64_t pairs(const ConvShape& shape) { return (shape.out_width() + 1) / 2; }
inline int64_t arranged_x(const ConvShape& shape, bfloat16*) {
  return shape.in_channels * shape.height * arranged_row(shape);
}
inline int64_t arranged_g(const ConvShape& shape, bfloat16*) {
  return shape.out_channels * shape.out_height() * pairs(shape) * 2;
}
inline int64_t zero_row(const ConvShape& shape, bfloat16*) { return slides(shape) ? pairs(shape) * 2 * width : 0; }

inline Arranged<bfloat16> arrange(const ConvShape& shape, const bfloat16* x, const bfloat16* gradient,
                                  bfloat16* scratch) {
  const int64_t row_size = arranged_row(shape), plane = shape.height * row_size, channels = shape.in_channels;
  const int64_t pad = padding(shape), stride = shape.stride, odd = stride == 1 ? 1 : half_row(shape);
  const bfloat16* zeros = scratch;
  bfloat16* inputs = scratch + zero_row(shape, scratch);
  bfloat16* outputs = inputs + arranged_x(shape, scratch);
  // Where an input column goes in its row.
  const auto place = [&](int64_t column) {
    const int64_t j = column + pad;
    return stride == 1 ? j : j % 2 * odd + j / 2;
  };
  for (int64_t channel = 0; channel < channels; channel += ins)
    for (int64_t row = 0; row < shape.height; ++row) {
      bfloat16* to = inputs + channel * plane + row * row_size;
      const bfloat16* from = x + row * shape.width * channels + channel;
      int64_t column = 0;
      for (; column + 8 * stride <= shape.width; column += 8 * stride)
        for (int64_t phase = 0; phase < stride; ++phase)
          transpose(from + (column + phase) * channels, stride * channels, to + place(column + phase), plane);
      for (; column < shape.width; ++column)
        for (int64_t in = 0; in < ins; ++in) to[in * plane + place(column)] = from[column * channels + in];
    }
  const int64_t out_width = shape.out_width(), count = pairs(shape);
  bfloat16* to = outputs;
  for (int64_t block = 0; block < shape.out_channels; block += width)
    for (int64_t row = 0; row < shape.out_height(); ++row)
      for (int64_t pair = 0; pair < count; ++pair, to += 2 * width) {
        const bfloat16* from = gradient + (row * out_width + 2 * pair) * shape.out_channels + block;
        const auto half = [](const bfloat16* at) {
          return _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)));
        };
        const __m512i second = 2 * pair + 1 < out_width ? half(from + shape.out_channels) : _mm512_setzero_si512();
        _mm512_storeu_si512(to, _mm512_or_si512(half(from), _mm512_slli_epi32(second, 16)));
      }
  const int64_t g_row = count * 2 * width;
  return {false,
          inputs,
          ins * plane,
          row_size,
          plane,
          2,
          {0, odd, stride == 1 ? 2 : 1},
          outputs,
          shape.out_height() * g_row,
          g_row,
          2 * width,
          zeros,
          count};
}
#endif

template <typename T, int count>
inline void sum_row(const Arranged<T>& image, const T* x, const T* const (&gradients)[count],
                    floats (&sums)[count][ins]) {
  using P = Products<T>;
  for (int64_t position = 0; position < image.positions; ++position, x += image.x_position) {
    typename P::operands g[count];
#pragma GCC unroll 3
    for (int i = 0; i < count; ++i) g[i] = P::load(gradients[i] + position * image.g_position);
#pragma GCC unroll 8
    for (int in = 0; in < ins; ++in) {
      const auto value = P::all(x + in * image.x_channel);
#pragma GCC unroll 3
      for (int i = 0; i < count; ++i) sums[i][in] = P::add(sums[i][in], g[i], value);
    }
  }
}

// The sums of one column of three taps (sliding), or of one tap and `count` registers of output channels.
template <typename T, int count, bool sliding>
void sum_taps(const ConvShape& shape, const Arranged<T>& image, const T* x, const T* gradient, int64_t tap_row,
              float* kept) {
  floats sums[count][ins];
#pragma GCC unroll 3
  for (int i = 0; i < count; ++i)
#pragma GCC unroll 8
    for (int in = 0; in < ins; ++in) sums[i][in] = load(kept + (i * ins + in) * width);
  const int64_t pad = padding(shape), outputs = shape.out_height();
  for (int64_t line = 0; line < (sliding ? shape.height : outputs); ++line) {
    const int64_t row = sliding ? line : line * shape.stride + tap_row - pad;
    if (row < 0 || row >= shape.height) continue;
    const T* from[count];
#pragma GCC unroll 3
    for (int i = 0; i < count; ++i) {
      const int64_t out = sliding ? row + pad - i : line;
      from[i] =
          out < 0 || out >= outputs ? image.zeros : gradient + out * image.g_row + (sliding ? 0 : i * image.g_vector);
    }
    sum_row<T, count>(image, x + row * image.x_row, from, sums);
  }
#pragma GCC unroll 3
  for (int i = 0; i < count; ++i)
#pragma GCC unroll 8
    for (int in = 0; in < ins; ++in) store(kept + (i * ins + in) * width, sums[i][in]);
}

template <typename T, int count, bool sliding>
void gradient(const ConvShape& shape, const T* x, const T* gradient, float* sums, int64_t first, int64_t last,
              T* scratch) {
  const int64_t k = shape.kernel, inputs = shape.height * shape.width * shape.in_pixel();
  const int64_t outputs = shape.out_height() * shape.out_width() * shape.out_pixel();
  __builtin_memset(scratch, 0, (zero_row(shape, scratch) + arranged_x(shape, scratch)) * sizeof(T));
  for (int64_t at = first; at < last; ++at) {
    const auto image = arrange(shape, x + at * inputs, gradient + at * outputs, scratch);
    float* kept = sums;
    for (int64_t group = 0; group < shape.groups; ++group)
      for (int64_t block = 0; block < out_blocks(shape); ++block)
        for (int64_t in_block = 0; in_block < in_blocks(shape); ++in_block) {
          const T *from = image.x, *g = image.gradient;
          if (image.in_place) {
            from += group * shape.in_channels + block_start(shape.in_channels, ins, in_block);
            g += group * shape.out_channels + block_start(shape.out_channels, outs(shape), block);
          } else {
            from += (group * in_blocks(shape) + in_block) * image.x_block;
            g += (group * out_blocks(shape) + block) * (sliding ? 1 : count) * image.g_vector;
          }
          for (int64_t row = 0; row < (sliding ? 1 : k); ++row)
            for (int64_t column = 0; column < k; ++column, kept += count * ins * width)
              sum_taps<T, count, sliding>(shape, image, from + image.tap[column], g, row, kept);
        }
  }
}

template <typename T>
void gradient(const ConvShape& asked, const T* x, const T* from, float* sums, int64_t first, int64_t last,
              void* scratch) {
  const ConvShape shape = flat(asked);
  const auto run = slides(shape)         ? gradient<T, 3, true>
                   : vectors(shape) == 2 ? gradient<T, 2, false>
                                         : gradient<T, 1, false>;
  run(shape, x, from, sums, first, last, static_cast<T*>(scratch));
}

}  // namespace
}  // namespace distillsharp::DISTILLSHARP_ARCH
