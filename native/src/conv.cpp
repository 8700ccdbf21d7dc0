// distillsharp::conv2d: a convolution in training, with its gradients; distillsharp::conv2d_folded: one in inference,
// with what follows it. Both fall back on libtorch's operators for whatever the kernels do not take.
#include "../kernels/conv.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <atomic>
#include <vector>

#include "libtorch_version.h"

namespace distillsharp {
namespace {

using at::IntArrayRef;
using at::Tensor;

constexpr auto channels_last = at::MemoryFormat::ChannelsLast;

Element element_of(at::ScalarType type) { return type == at::kBFloat16 ? Element::bfloat16 : Element::float32; }

bool mixed_precision() {
  return compat::autocast_enabled(at::kCPU) && compat::autocast_dtype(at::kCPU) == at::kBFloat16;
}

struct Geometry {
  IntArrayRef stride, padding, dilation;
  int64_t groups;
};

// The kernels' view of a convolution, if they take it.
const ConvKernels* kernels_for(const Tensor& x, at::ScalarType type, IntArrayRef weight, const Geometry& geometry,
                               ConvShape& shape) {
  const bool fits = x.is_cpu() && x.dim() == 4 && weight.size() == 4 && geometry.groups == 1 &&
                    weight[1] == x.size(1) && weight[2] == weight[3] && geometry.stride[0] == geometry.stride[1] &&
                    geometry.padding[0] == geometry.padding[1] && geometry.padding[0] == weight[2] / 2 &&
                    geometry.dilation[0] == 1 && geometry.dilation[1] == 1 && x.size(0) >= at::get_num_threads() &&
                    (type == at::kFloat || type == at::kBFloat16) && x.is_contiguous(channels_last) &&
                    !x.is_contiguous();
  if (!fits) return nullptr;
  const auto* kernels = conv_kernels(element_of(type));
  shape = {
      x.size(1), weight[0], x.size(2), x.size(3), static_cast<int>(weight[2]), static_cast<int>(geometry.stride[0])};
  return kernels != nullptr && kernels->takes(shape, ConvWay::direct) ? kernels : nullptr;
}

// Memory of each thread that outlives a call: a step asks for the same sizes again and again.
void* scratch(int64_t bytes) {
  thread_local std::vector<std::byte> buffer;
  if (static_cast<int64_t>(buffer.size()) < bytes + 64) buffer.resize(bytes + 64);
  const auto start = reinterpret_cast<uintptr_t>(buffer.data());
  return buffer.data() + ((start + 63) / 64 * 64 - start);
}

// The images in one range for each thread; the same ranges for the same number of threads.
template <typename Body>
void over_images(int64_t images, const Body& body) {
  const int64_t parts = std::min<int64_t>(images, at::get_num_threads());
  at::parallel_for(0, parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part) body(part, images * part / parts, images * (part + 1) / parts);
  });
}

Tensor pack(const ConvKernels& kernels, const ConvShape& shape, ConvWay way, const ConvWeights& weights,
            at::ScalarType type) {
  Tensor packed = at::empty({kernels.packed(shape, way)}, at::TensorOptions().dtype(type));
  at::parallel_for(0, shape.out_channels, 16, [&](int64_t first, int64_t last) {
    kernels.pack(shape, way, weights, packed.data_ptr(), first, last);
  });
  return packed;
}

ConvWeights weights_of(const Tensor& weight) {
  return {weight.data_ptr<float>(), weight.stride(0), weight.stride(1), weight.stride(2), weight.stride(3)};
}

// What multiplies the gradient of a convolution of stride 1: the taps turned round, input and output channels
// exchanged.
ConvWeights turned(const Tensor& weight) {
  const int64_t last = weight.size(2) - 1;
  return {weight.data_ptr<float>() + last * (weight.stride(2) + weight.stride(3)), weight.stride(1), weight.stride(0),
          -weight.stride(2), -weight.stride(3)};
}

// The way follows from how the weights are packed.
Tensor run(const ConvKernels& kernels, const ConvShape& shape, const Tensor& x, const Tensor& packed,
           const Tensor& bias, const Tensor& residual, bool relu) {
  const auto way = packed.numel() == shape.weights() ? ConvWay::direct : ConvWay::winograd;
  Tensor y = at::empty({x.size(0), shape.out_channels, shape.out_height(), shape.out_width()},
                       x.options().memory_format(channels_last));
  const ConvForward job{x.data_ptr(),
                        packed.data_ptr(),
                        bias.defined() ? bias.data_ptr<float>() : nullptr,
                        residual.defined() ? residual.data_ptr() : nullptr,
                        relu,
                        y.data_ptr()};
  const int64_t bytes = kernels.scratch(shape, way), images = x.size(0);
  // Each thread takes the next few images when it is done with the last ones: one that was held up holds up no other.
  const int64_t share = kernels.images(shape, way);
  std::atomic<int64_t> next{0};
  over_images(images, [&](int64_t, int64_t, int64_t) {
    for (int64_t first; (first = next.fetch_add(share)) < images;)
      kernels.forward(shape, way, job, first, std::min(first + share, images), scratch(bytes));
  });
  return y;
}

Tensor weight_gradient(const ConvKernels& kernels, const ConvShape& shape, const Tensor& x, const Tensor& gradient,
                       const Tensor& weight) {
  const int64_t bytes = kernels.scratch(shape, ConvWay::direct),
                parts = std::min<int64_t>(x.size(0), at::get_num_threads());
  Tensor sums = at::zeros({parts, shape.weights()}, weight.options());
  over_images(x.size(0), [&](int64_t part, int64_t first, int64_t last) {
    kernels.gradient(shape, x.data_ptr(), gradient.data_ptr(), sums.data_ptr<float>() + part * shape.weights(), first,
                     last, scratch(bytes));
  });
  Tensor total = sums[0];
  for (int64_t part = 1; part < parts; ++part) total.add_(sums[part]);
  Tensor result = at::empty_like(weight);
  at::parallel_for(0, shape.out_channels, 64, [&](int64_t first, int64_t last) {
    kernels.unpack(shape, total.data_ptr<float>(), weights_of(result), first, last);
  });
  return result;
}

// x comes in the type to compute in; the weight and its gradient are float32.
struct Convolution : torch::autograd::Function<Convolution> {
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x, const Tensor& weight,
                        const compat::Optional<Tensor>& bias, int64_t stride) {
    at::AutoDispatchBelowADInplaceOrView below;
    const auto [kernels, shape] = view(x, weight, stride);
    context->save_for_backward({x, weight});
    context->saved_data["stride"] = stride;
    context->saved_data["bias"] = bias.has_value() && bias->defined();
    return run(*kernels, shape, x, pack(*kernels, shape, ConvWay::direct, weights_of(weight), x.scalar_type()),
               bias.value_or(Tensor()), {}, false);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1];
    const int64_t stride = context->saved_data["stride"].toInt();
    const auto [kernels, shape] = view(x, weight, stride);
    const Tensor gradient = gradients[0].to(x.scalar_type()).contiguous(channels_last);
    Tensor to_x, to_weight, to_bias;
    if (context->needs_input_grad(0)) to_x = input_gradient(*kernels, shape, x, gradient, weight);
    if (context->needs_input_grad(1)) to_weight = weight_gradient(*kernels, shape, x, gradient, weight);
    if (context->saved_data["bias"].toBool()) to_bias = gradient.to(at::kFloat).sum({0, 2, 3});
    return {to_x, to_weight, to_bias, Tensor()};
  }

 private:
  struct View {
    const ConvKernels* kernels;
    ConvShape shape;
  };

  static View view(const Tensor& x, const Tensor& weight, int64_t stride) {
    return {
        conv_kernels(element_of(x.scalar_type())),
        {x.size(1), weight.size(0), x.size(2), x.size(3), static_cast<int>(weight.size(2)), static_cast<int>(stride)}};
  }

  static Tensor input_gradient(const ConvKernels& kernels, const ConvShape& shape, const Tensor& x,
                               const Tensor& gradient, const Tensor& weight) {
    const ConvShape back{shape.out_channels, shape.in_channels, shape.height, shape.width, shape.kernel, 1};
    if (shape.stride == 1 && kernels.takes(back, ConvWay::direct))
      return run(kernels, back, gradient, pack(kernels, back, ConvWay::direct, turned(weight), x.scalar_type()), {}, {},
                 false);
    const int64_t pad = shape.kernel / 2, stride = shape.stride;
    const Tensor cast = weight.to(x.scalar_type()).contiguous(channels_last);
    return std::get<0>(at::convolution_backward(gradient, x, cast, compat::none, {stride, stride}, {pad, pad}, {1, 1},
                                                false, {0, 0}, 1, {true, false, false}));
  }
};

bool plain(const Tensor& weight) { return weight.is_cpu() && weight.scalar_type() == at::kFloat; }

// On processors without instructions for bfloat16 libtorch sums its products in bfloat16 as well, which leaves two
// digits: there, what comes in bfloat16 is computed in float32.
bool widens(const Tensor& x) {
  return x.is_cpu() && x.scalar_type() == at::kBFloat16 && conv_kernels(Element::bfloat16) == nullptr;
}

Tensor conv2d(const Tensor& x, const Tensor& weight, const compat::Optional<Tensor>& bias, IntArrayRef stride,
              IntArrayRef padding, IntArrayRef dilation, int64_t groups) {
  if (widens(x)) {
    const auto wide = [](const Tensor& tensor) { return tensor.defined() ? tensor.to(at::kFloat) : tensor; };
    return distillsharp::conv2d(wide(x), wide(weight), wide(bias.value_or(Tensor())), stride, padding, dilation, groups)
        .to(x.scalar_type());
  }
  const auto type = mixed_precision() ? at::kBFloat16 : x.scalar_type();
  ConvShape shape;
  const bool whole_bias = !bias.has_value() || !bias->defined() || (plain(*bias) && bias->is_contiguous());
  if (plain(weight) && whole_bias &&
      kernels_for(x, type, weight.sizes(), {stride, padding, dilation, groups}, shape) != nullptr)
    return Convolution::apply(x.to(type), weight, bias, stride[0]);
  return at::conv2d(x, weight, bias, stride, padding, dilation, groups);
}

// The weight in the kernels' order, in the type asked for; an empty tensor where the kernels would not take the
// convolution.
Tensor conv2d_pack(const Tensor& weight, at::ScalarType type, IntArrayRef stride, IntArrayRef padding,
                   IntArrayRef dilation, int64_t groups) {
  const auto* kernels = conv_kernels(element_of(type));
  const bool fits = kernels != nullptr && plain(weight) && weight.dim() == 4 && groups == 1 &&
                    weight.size(2) == weight.size(3) && stride[0] == stride[1] && padding[0] == padding[1] &&
                    padding[0] == weight.size(2) / 2 && dilation[0] == 1 && dilation[1] == 1 &&
                    (type == at::kFloat || type == at::kBFloat16);
  // The order does not depend on the size of the image.
  const ConvShape shape{
      weight.size(1), weight.size(0), 8, 8, static_cast<int>(weight.size(2)), static_cast<int>(stride[0])};
  if (!fits || !kernels->takes(shape, ConvWay::direct)) return at::empty({0}, at::TensorOptions().dtype(type));
  const auto way =
      kernels->takes(shape, ConvWay::winograd) && weight.size(1) >= 32 ? ConvWay::winograd : ConvWay::direct;
  return pack(*kernels, shape, way, weights_of(weight), type);
}

// conv(x) + bias (+ residual), with ReLU where it is asked for. No gradient follows.
Tensor conv2d_folded(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& packed,
                     const compat::Optional<Tensor>& residual, bool relu, IntArrayRef stride, IntArrayRef padding,
                     IntArrayRef dilation, int64_t groups) {
  const Tensor more = residual.value_or(Tensor());
  ConvShape shape;
  const auto type = mixed_precision() ? at::kBFloat16 : x.scalar_type();
  const auto* kernels = packed.numel() > 0 && packed.scalar_type() == type && x.scalar_type() == type
                            ? kernels_for(x, type, weight.sizes(), {stride, padding, dilation, groups}, shape)
                            : nullptr;
  const bool whole =
      !more.defined() || (more.scalar_type() == type && more.is_contiguous(channels_last) && !more.is_contiguous());
  if (kernels != nullptr && whole) return run(*kernels, shape, x, packed, bias, more, relu);
  Tensor y = distillsharp::conv2d(x, weight, bias, stride, padding, dilation, groups);
  if (more.defined()) y.add_(more);
  return relu ? y.relu_() : y;
}

}  // namespace
}  // namespace distillsharp

TORCH_LIBRARY_FRAGMENT(distillsharp, library) {
  library.def(
      "conv2d(Tensor x, Tensor weight, Tensor? bias, int[2] stride, int[2] padding, int[2] dilation, int groups) -> "
      "Tensor",
      TORCH_FN(distillsharp::conv2d));
  library.def(
      "conv2d_pack(Tensor weight, ScalarType dtype, int[2] stride, int[2] padding, int[2] dilation, int groups) -> "
      "Tensor",
      TORCH_FN(distillsharp::conv2d_pack));
  library.def(
      "conv2d_folded(Tensor x, Tensor weight, Tensor bias, Tensor packed, Tensor? residual, bool relu, int[2] stride, "
      "int[2] padding, int[2] dilation, int groups) -> Tensor",
      TORCH_FN(distillsharp::conv2d_folded));
}
