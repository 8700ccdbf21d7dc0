#include "conv.h"

#if defined(__AVX2__)
#include "conv_back.h"
#include "conv_depthwise.h"
#include "conv_forward.h"
#include "conv_gradient.h"
#include "conv_winograd.h"
#endif

namespace distillsharp::DISTILLSHARP_ARCH {

#if defined(__AVX2__)
namespace {

template <typename T>
bool takes(const ConvShape& shape, ConvWay way) {
  if (depthwise(shape)) return shape.stride == 1 || shape.stride == 2;
  const bool sizes =
      (shape.kernel == 1 || (shape.kernel == 3 && shape.groups == 1)) && (shape.stride == 1 || shape.stride == 2);
  // bfloat16 is arranged in whole registers.
  const bool channels = Products<T>::depth == 2
                            ? shape.in_channels % ins == 0 && shape.out_channels % width == 0 && shape.groups == 1
                            : shape.out_channels >= width;
  return sizes && channels && (way != ConvWay::back || (shape.stride == 2 && shape.in_channels >= width));
}

// Fewer channels are faster in direct products of bfloat16.
template <typename T>
bool by_winograd(const ConvShape& shape) {
  return shape.groups == 1 && slides(shape) && shape.in_channels % width == 0 && shape.out_channels % width == 0 &&
         shape.in_channels >= Products<T>::depth * width;
}

// By that way a thread has four times as many sums to clear and to add to the others', which many outputs outweigh.
template <typename T>
bool sums_by_winograd(const ConvShape& shape, int64_t images) {
  return by_winograd<T>(shape) && images * shape.height * shape.width >= 512;
}

template <typename T>
int64_t scratch(const ConvShape& asked, ConvWay way) {
  if (depthwise(asked)) return depthwise_scratch(asked) * static_cast<int64_t>(sizeof(float));
  if (way == ConvWay::back) return back_scratch(asked) * static_cast<int64_t>(sizeof(T));
  const ConvShape shape = flat(asked);
  T* const type = nullptr;
  const int64_t ahead = padded_height(shape) * padded_width(shape) * shape.in_pixel();
  const int64_t back = zero_row(shape, type) + arranged_x(shape, type) + arranged_g(shape, type);
  const int64_t direct = (ahead > back ? ahead : back) * static_cast<int64_t>(sizeof(T)),
                winograd = by_winograd<T>(asked) ? winograd_scratch(asked) * static_cast<int64_t>(sizeof(float)) : 0;
  return direct > winograd ? direct : winograd;
}

template <typename T>
constexpr ConvKernels kernels = {
    takes<T>,
    [](const ConvShape& shape, ConvWay way) {
      return depthwise(shape)        ? depthwise_size(shape)
             : by_winograd<T>(shape) ? winograd_size(shape) * static_cast<int64_t>(sizeof(float) / sizeof(T))
             : way == ConvWay::back  ? shape.groups * back_size(shape)
                                     : shape.groups * group_size(shape);
    },
    [](const ConvShape& shape, ConvWay way, const ConvWeights& weights, void* packed, int64_t first, int64_t last) {
      const auto run = depthwise(shape)        ? pack_depthwise<T>
                       : by_winograd<T>(shape) ? winograd_pack
                       : way == ConvWay::back  ? pack_back<T>
                                               : pack<T>;
      run(shape, weights, packed, first, last);
    },
    scratch<T>,
    [](const ConvShape& shape) {
      return by_winograd<T>(shape) ? block_count(patches(shape), patches_of_image(shape)) : int64_t{1};
    },
    [](const ConvShape& shape, ConvWay way, const ConvForward& job, int64_t first, int64_t last, void* scratch) {
      const bool back = way == ConvWay::back;
      const auto run = depthwise(shape)        ? (back ? depthwise_back<T> : depthwise_forward<T>)
                       : by_winograd<T>(shape) ? winograd<T>
                                               : (back ? distillsharp::DISTILLSHARP_ARCH::back<T> : forward<T>);
      run(shape, job, first, last, scratch);
    },
    [](const ConvShape& shape, int64_t images) {
      return depthwise(shape)                     ? depthwise_size(shape)
             : sums_by_winograd<T>(shape, images) ? winograd_size(shape)
                                                  : shape.groups * group_sums(shape);
    },
    [](const ConvShape& shape, int64_t images, const void* x, const void* from, float* sums, int64_t first,
       int64_t last, void* scratch) {
      const auto run = depthwise(shape) ? (shape.stride == 1 ? depthwise_gradient<T, 1> : depthwise_gradient<T, 2>)
                       : sums_by_winograd<T>(shape, images) ? winograd_gradient<T>
                                                            : gradient<T>;
      run(shape, static_cast<const T*>(x), static_cast<const T*>(from), sums, first, last, scratch);
    },
    [](const ConvShape& shape, int64_t images, const float* sums, const ConvWeights& to, int64_t first, int64_t last) {
      const auto run = depthwise(shape)                     ? unpack_depthwise
                       : sums_by_winograd<T>(shape, images) ? winograd_unpack
                                                            : unpack;
      run(shape, sums, to, first, last);
    },
};

}  // namespace

const ConvKernels* conv_kernels(Element element) {
#if defined(__AVX512BF16__)
  if (element == Element::bfloat16) return &kernels<bfloat16>;
#endif
  return element == Element::float32 ? &kernels<float> : nullptr;
}

#else

const ConvKernels* conv_kernels(Element) { return nullptr; }

#endif

}  // namespace distillsharp::DISTILLSHARP_ARCH
