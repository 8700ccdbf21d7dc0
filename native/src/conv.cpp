// distillsharp::conv2d: a convolution in training, with its gradients; distillsharp::conv2d_folded: one in inference,
// with what follows it. Both fall back on libtorch's operators for whatever the kernels do not take.
#include "../kernels/conv.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <atomic>
#include <vector>

#include "libtorch_version.h"
#include "onednn.h"

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

ConvShape shape_of(IntArrayRef weight, int64_t stride, int64_t groups, int64_t height, int64_t width) {
  return {weight[1], weight[0] / groups, height, width, static_cast<int>(weight[2]), static_cast<int>(stride), groups};
}

// The kernels that take a convolution of this geometry, if any do; the height and the width do not matter to them.
const ConvKernels* kernels_for(at::ScalarType type, IntArrayRef weight, const Geometry& geometry) {
  const bool fits = (type == at::kFloat || type == at::kBFloat16) && weight.size() == 4 && weight[2] == weight[3] &&
                    geometry.stride[0] == geometry.stride[1] && geometry.padding[0] == geometry.padding[1] &&
                    geometry.padding[0] == weight[2] / 2 && geometry.dilation[0] == 1 && geometry.dilation[1] == 1;
  const auto* kernels = fits ? conv_kernels(element_of(type)) : nullptr;
  return kernels != nullptr &&
                 kernels->takes(shape_of(weight, geometry.stride[0], geometry.groups, 8, 8), ConvWay::ahead)
             ? kernels
             : nullptr;
}

bool fits_weight(const Tensor& x, IntArrayRef weight, int64_t groups) {
  return x.is_cpu() && x.dim() == 4 && weight.size() == 4 && weight[1] * groups == x.size(1);
}

bool lies_for_kernels(const Tensor& x, IntArrayRef weight, int64_t groups) {
  return fits_weight(x, weight, groups) && x.size(0) >= at::get_num_threads() && x.is_contiguous(channels_last) &&
         !x.is_contiguous();
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

template <typename Body>
void over_channels(int64_t channels, const Body& body) {
  at::parallel_for(0, (channels + channels_together - 1) / channels_together, 1, [&](int64_t first, int64_t last) {
    body(first * channels_together, std::min(last * channels_together, channels));
  });
}

Tensor pack(const ConvKernels& kernels, const ConvShape& shape, ConvWay way, const ConvWeights& weights,
            at::ScalarType type) {
  Tensor packed = at::empty({kernels.packed(shape, way)}, at::TensorOptions().dtype(type));
  const int64_t channels = way == ConvWay::back ? shape.in_pixel() : shape.out_pixel();
  over_channels(channels, [&](int64_t first, int64_t last) {
    kernels.pack(shape, way, weights, packed.data_ptr(), first, last);
  });
  return packed;
}

ConvWeights weights_of(const Tensor& weight, int64_t groups) {
  return {weight.data_ptr<float>(), weight.size(0) / groups * weight.stride(0),
          weight.stride(0),         weight.stride(1),
          weight.stride(2),         weight.stride(3)};
}

// What multiplies the gradient of a convolution of stride 1: the taps turned round, input and output channels
// exchanged.
ConvWeights turned(const Tensor& weight, int64_t groups) {
  const int64_t last = weight.size(2) - 1;
  return {weight.data_ptr<float>() + last * (weight.stride(2) + weight.stride(3)),
          weight.size(0) / groups * weight.stride(0),
          weight.stride(1),
          weight.stride(0),
          -weight.stride(2),
          -weight.stride(3)};
}

Tensor run(const ConvKernels& kernels, const ConvShape& shape, ConvWay way, const Tensor& x, const Tensor& packed,
           const Tensor& bias, const Tensor& residual, bool relu) {
  const bool back = way == ConvWay::back;
  Tensor y = at::empty({x.size(0), back ? shape.in_pixel() : shape.out_pixel(),
                        back ? shape.height : shape.out_height(), back ? shape.width : shape.out_width()},
                       x.options().memory_format(channels_last));
  const ConvForward job{x.data_ptr(),
                        packed.data_ptr(),
                        bias.defined() ? bias.data_ptr<float>() : nullptr,
                        residual.defined() ? residual.data_ptr() : nullptr,
                        relu,
                        y.data_ptr()};
  const int64_t bytes = kernels.scratch(shape, way), images = x.size(0);
  // Each thread takes the next few images when it is done with the last ones: one that was held up holds up no other.
  const int64_t threads = at::get_num_threads(),
                share = std::min(kernels.images(shape), (images + threads - 1) / threads);
  std::atomic<int64_t> next{0};
  over_images(images, [&](int64_t, int64_t, int64_t) {
    for (int64_t first; (first = next.fetch_add(share)) < images;)
      kernels.forward(shape, way, job, first, std::min(first + share, images), scratch(bytes));
  });
  return y;
}

Tensor weight_gradient(const ConvKernels& kernels, const ConvShape& shape, const Tensor& x, const Tensor& gradient,
                       const Tensor& weight) {
  const int64_t bytes = kernels.scratch(shape, ConvWay::ahead),
                parts = std::min<int64_t>(x.size(0), at::get_num_threads()), images = x.size(0) / parts,
                count = kernels.sums(shape, images);
  Tensor sums = at::zeros({parts, count}, weight.options());
  over_images(x.size(0), [&](int64_t part, int64_t first, int64_t last) {
    kernels.gradient(shape, images, x.data_ptr(), gradient.data_ptr(), sums.data_ptr<float>() + part * count, first,
                     last, scratch(bytes));
  });
  Tensor total = sums[0];
  for (int64_t part = 1; part < parts; ++part) total.add_(sums[part]);
  Tensor result = at::empty_like(weight);
  over_channels(shape.out_pixel(), [&](int64_t first, int64_t last) {
    kernels.unpack(shape, images, total.data_ptr<float>(), weights_of(result, shape.groups), first, last);
  });
  return result;
}

Tensor input_gradient(const ConvKernels& kernels, const ConvShape& shape, const Tensor& x, const Tensor& gradient,
                      const Tensor& weight) {
  const auto type = x.scalar_type();
  if (kernels.takes(shape, ConvWay::back)) {
    const Tensor packed = pack(kernels, shape, ConvWay::back, weights_of(weight, shape.groups), type);
    return run(kernels, shape, ConvWay::back, gradient, packed, {}, {}, false);
  }
  const ConvShape back{shape.out_channels, shape.in_channels, shape.height, shape.width, shape.kernel, 1, shape.groups};
  if (shape.stride == 1 && kernels.takes(back, ConvWay::ahead)) {
    const Tensor packed = pack(kernels, back, ConvWay::ahead, turned(weight, shape.groups), type);
    return run(kernels, back, ConvWay::ahead, gradient, packed, {}, {}, false);
  }
  const int64_t pad = shape.kernel / 2, stride = shape.stride;
  const Tensor cast = weight.to(type).contiguous(channels_last);
  return std::get<0>(at::convolution_backward(gradient, x, cast, compat::none, {stride, stride}, {pad, pad}, {1, 1},
                                              false, {0, 0}, shape.groups, {true, false, false}));
}

// x comes in the type to compute in; the weight and its gradient are float32.
struct Convolution : torch::autograd::Function<Convolution> {
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x, const Tensor& weight,
                        const compat::Optional<Tensor>& bias, int64_t stride, int64_t groups) {
    at::AutoDispatchBelowADInplaceOrView below;
    const auto& kernels = *conv_kernels(element_of(x.scalar_type()));
    const auto shape = shape_of(weight.sizes(), stride, groups, x.size(2), x.size(3));
    context->save_for_backward({x, weight});
    context->saved_data["stride"] = stride;
    context->saved_data["groups"] = groups;
    context->saved_data["bias"] = bias.has_value() && bias->defined();
    const Tensor packed = pack(kernels, shape, ConvWay::ahead, weights_of(weight, groups), x.scalar_type());
    return run(kernels, shape, ConvWay::ahead, x, packed, bias.value_or(Tensor()), {}, false);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1];
    const auto& kernels = *conv_kernels(element_of(x.scalar_type()));
    const auto shape = shape_of(weight.sizes(), context->saved_data["stride"].toInt(),
                                context->saved_data["groups"].toInt(), x.size(2), x.size(3));
    const Tensor gradient = gradients[0].to(x.scalar_type()).contiguous(channels_last);
    Tensor to_x, to_weight, to_bias;
    if (context->needs_input_grad(0)) to_x = input_gradient(kernels, shape, x, gradient, weight);
    if (context->needs_input_grad(1)) to_weight = weight_gradient(kernels, shape, x, gradient, weight);
    if (context->saved_data["bias"].toBool()) to_bias = gradient.to(at::kFloat).sum({0, 2, 3});
    return {to_x, to_weight, to_bias, Tensor(), Tensor()};
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
  const bool whole_bias = !bias.has_value() || !bias->defined() || (plain(*bias) && bias->is_contiguous());
  if (plain(weight) && whole_bias &&
      kernels_for(type, weight.sizes(), {stride, padding, dilation, groups}) != nullptr) {
    // A range of another tensor's channels lies apart.
    const bool range = x.dim() == 4 && x.stride(1) == 1 && x.size(1) > 1 && !x.is_contiguous(channels_last);
    // Without oneDNN libtorch's own way is many times slower than the kernels, in whatever order and number images
    // come.
    const bool alone = onednn_left_out() && fits_weight(x, weight.sizes(), groups);
    const Tensor whole = range || alone ? x.contiguous(channels_last) : x;
    if (alone || lies_for_kernels(whole, weight.sizes(), groups))
      return Convolution::apply(whole.to(type), weight, bias, stride[0], groups);
  }
  return at::conv2d(x, weight, bias, stride, padding, dilation, groups);
}

// The weight in the kernels' order, in the type asked for; an empty tensor where the kernels would not take the
// convolution.
Tensor conv2d_pack(const Tensor& weight, at::ScalarType type, IntArrayRef stride, IntArrayRef padding,
                   IntArrayRef dilation, int64_t groups) {
  const auto* kernels =
      plain(weight) ? kernels_for(type, weight.sizes(), {stride, padding, dilation, groups}) : nullptr;
  if (kernels == nullptr) return at::empty({0}, at::TensorOptions().dtype(type));
  const auto shape = shape_of(weight.sizes(), stride[0], groups, 8, 8);
  return pack(*kernels, shape, ConvWay::ahead, weights_of(weight, groups), type);
}

// conv(x) + bias (+ residual), with ReLU where it is asked for. No gradient follows.
Tensor conv2d_folded(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& packed,
                     const compat::Optional<Tensor>& residual, bool relu, IntArrayRef stride, IntArrayRef padding,
                     IntArrayRef dilation, int64_t groups) {
  const Tensor more = residual.value_or(Tensor());
  const auto type = mixed_precision() ? at::kBFloat16 : x.scalar_type();
  const bool whole =
      !more.defined() || (more.scalar_type() == type && more.is_contiguous(channels_last) && !more.is_contiguous());
  if (packed.numel() > 0 && packed.scalar_type() == type && x.scalar_type() == type && whole &&
      lies_for_kernels(x, weight.sizes(), groups)) {
    const auto& kernels = *conv_kernels(element_of(type));
    const auto shape = shape_of(weight.sizes(), stride[0], groups, x.size(2), x.size(3));
    return run(kernels, shape, ConvWay::ahead, x, packed, bias, more, relu);
  }
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
