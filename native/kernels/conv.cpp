#include "conv.h"

#if defined(__AVX512F__)
#include "conv_forward.h"
#include "conv_gradient.h"
#include "conv_winograd.h"
#endif

namespace distillsharp::DISTILLSHARP_ARCH {

#if defined(__AVX512F__)
namespace {

bool takes(const ConvShape& shape, ConvWay way) {
  if (way == ConvWay::winograd)
    return slides(shape) && shape.in_channels % width == 0 && shape.out_channels % wide == 0;
  return (shape.kernel == 1 || shape.kernel == 3) && (shape.stride == 1 || shape.stride == 2) &&
         shape.in_channels % ins == 0 && shape.out_channels % width == 0;
}

int64_t packed(const ConvShape& shape, ConvWay way) {
  return way == ConvWay::winograd ? positions * shape.in_channels * shape.out_channels : shape.weights();
}

template <typename T>
int64_t scratch(const ConvShape& shape, ConvWay way) {
  if (way == ConvWay::winograd) return winograd_scratch<T>(shape);
  T* const type = nullptr;
  const int64_t ahead = padded_height(shape) * padded_width(shape) * shape.in_channels;
  const int64_t back = zero_row(shape, type) + arranged_x(shape, type) + arranged_g(shape, type);
  return (ahead > back ? ahead : back) * static_cast<int64_t>(sizeof(T));
}

template <typename T>
constexpr ConvKernels kernels = {
    takes,
    packed,
    [](const ConvShape& shape, ConvWay way, const ConvWeights& weights, void* packed, int64_t first, int64_t last) {
      (way == ConvWay::winograd ? winograd_pack<T> : pack<T>)(shape, weights, packed, first, last);
    },
    scratch<T>,
    [](const ConvShape& shape, ConvWay way) {
      return way == ConvWay::winograd ? (patches(shape, sizeof(T)) + tiles(shape) - 1) / tiles(shape) : int64_t{1};
    },
    [](const ConvShape& shape, ConvWay way, const ConvForward& job, int64_t first, int64_t last, void* scratch) {
      way == ConvWay::winograd ? winograd<T>(shape, job, first, last, scratch)
                               : forward<T>(shape, job, first, last, scratch);
    },
    [](const ConvShape& shape, const void* x, const void* from, float* sums, int64_t first, int64_t last,
       void* scratch) { gradient<T>(shape, x, from, sums, first, last, scratch); },
    unpack};

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
