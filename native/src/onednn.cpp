// Whether libtorch's convolutions are right on this processor.
#include "onednn.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>

#include <vector>

#include "libtorch_version.h"

namespace distillsharp {
namespace {

// Numbers without a pattern, which draw nothing from libtorch's generators.
at::Tensor numbers(at::IntArrayRef shape, double step) {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  return at::arange(count, at::kFloat).mul_(step).sin_().reshape(shape);
}

// The outputs of some convolutions, whose channels fill no register, and the gradients of their inputs.
std::vector<at::Tensor> convolve() {
  struct Case {
    int64_t images, in, out, side, kernel, stride, groups;
    at::MemoryFormat format;
  };
  constexpr auto rows = at::MemoryFormat::Contiguous, pixels = at::MemoryFormat::ChannelsLast;
  std::vector<at::Tensor> results;
  for (const Case& c : {Case{2, 24, 48, 8, 3, 2, 1, rows}, Case{2, 16, 24, 8, 3, 1, 1, rows},
                        Case{2, 54, 20, 8, 3, 1, 1, rows}, Case{2, 60, 240, 4, 1, 1, 3, pixels}}) {
    const at::Tensor x = numbers({c.images, c.in, c.side, c.side}, 0.7).contiguous(c.format),
                     weight = numbers({c.out, c.in / c.groups, c.kernel, c.kernel}, 1.3).contiguous(c.format);
    const int64_t pad = c.kernel / 2;
    results.push_back(at::conv2d(x, weight, {}, {c.stride, c.stride}, {pad, pad}, {1, 1}, c.groups));
    const at::Tensor gradient = numbers(results.back().sizes(), 0.9).contiguous(c.format);
    results.push_back(
        std::get<0>(at::convolution_backward(gradient, x, weight, compat::none, {c.stride, c.stride}, {pad, pad},
                                             {1, 1}, false, {0, 0}, c.groups, {true, false, false})));
  }
  return results;
}

bool left_out = false;

}  // namespace

void leave_out_onednn_where_wrong() {
  auto& context = at::globalContext();
  if (!at::hasMKLDNN() || !context.userEnabledMkldnn()) return;
  const at::NoGradGuard off;
  const auto tested = convolve();
  context.setUserEnabledMkldnn(false);
  const auto expected = convolve();
  for (size_t i = 0; i < tested.size(); ++i) {
    const double error = (tested[i] - expected[i]).abs().max().item<double>(),
                 scale = expected[i].abs().max().item<double>();
    // Not a number is wrong as well.
    left_out = left_out || !(error <= 1e-3 * scale);
  }
  context.setUserEnabledMkldnn(!left_out);
}

bool onednn_left_out() { return left_out; }

}  // namespace distillsharp
