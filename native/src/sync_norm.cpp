// distillsharp::sync_batch_norm_relu: batch norm in training whose mean and variance are those of all processes' rows
// together, forward and backward, so that it computes what one process with the whole batch would.
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "distributed.h"
#include "norm.h"

namespace distillsharp {

// Chan, Golub, LeVeque 1983: moments of parts make those of the whole. In the order of the ranks, so that all get the
// same.
double combine_moments(ds_process_group group, double own, const at::Tensor& moments) {
  const auto mine = at::cat({at::full({1}, own, moments.options()), moments.flatten()});
  const auto all = gather_of_processes(group, mine);
  const auto of_part = [&](int64_t part) { return all[part].narrow(0, 1, moments.numel()).view(moments.sizes()); };
  double count = all[0][0].item<double>();
  at::Tensor mean = of_part(0)[0].clone(), spread = of_part(0)[1].clone();
  for (int64_t part = 1; part < all.size(0); ++part) {
    const double more = all[part][0].item<double>();
    const auto difference = of_part(part)[0] - mean;
    spread += of_part(part)[1] + difference * difference * (count * more / (count + more));
    mean += difference * (more / (count + more));
    count += more;
  }
  moments.copy_(at::stack({mean, spread}));
  return count;
}

namespace {

using at::Tensor;

at::IntArrayRef but_channels() {
  static const int64_t dimensions[] = {0, 2, 3};
  return dimensions;
}

Tensor of_channels(const Tensor& values) { return values.view({1, -1, 1, 1}); }

// What the kernels do not take: GPUs, row-major order, other types. Plain operators, statistics in double.
struct SyncNorm : torch::autograd::Function<SyncNorm> {
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x, const Tensor& weight,
                        const Tensor& bias, const Tensor& running_mean, const Tensor& running_var, double momentum,
                        double epsilon, int64_t group) {
    at::AutoDispatchBelowADInplaceOrView below;
    const Tensor wide = x.to(at::kDouble);
    const Tensor own_mean = wide.mean(but_channels());
    const Tensor moments = at::stack({own_mean, (wide - of_channels(own_mean)).pow(2).sum(but_channels())});
    const double count =
        combine_moments(reinterpret_cast<ds_process_group>(group), static_cast<double>(x.numel() / x.size(1)), moments);
    const Tensor mean = moments[0], inverse = (moments[1] / count + epsilon).rsqrt();
    running_mean.mul_(1 - momentum).add_(mean.to(running_mean.scalar_type()), momentum);
    running_var.mul_(1 - momentum).add_((moments[1] / (count - 1)).to(running_var.scalar_type()), momentum);
    context->save_for_backward({x, mean, inverse, weight});
    context->saved_data["count"] = count;
    context->saved_data["group"] = group;
    const Tensor scale = inverse * weight;
    const Tensor shift = bias - mean * scale;
    return (x * of_channels(scale).to(at::kFloat) + of_channels(shift).to(at::kFloat)).to(x.scalar_type());
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &mean = saved[1], &inverse = saved[2], &weight = saved[3];
    const double count = context->saved_data["count"].toDouble();
    const Tensor gradient = gradients[0].to(at::kDouble), centered = x.to(at::kDouble) - of_channels(mean);
    Tensor sums = at::stack({gradient.sum(but_channels()), (gradient * centered).sum(but_channels())});
    // Those of scale and shift are of this process's rows alone: all gradients are summed over the processes later.
    const Tensor to_weight = (sums[1] * inverse).to(weight.scalar_type());
    const Tensor to_bias = sums[0].to(weight.scalar_type(), false, true);
    sum_over_processes(reinterpret_cast<ds_process_group>(context->saved_data["group"].toInt()), sums);
    const Tensor to_x = of_channels(inverse * weight) * (gradient - of_channels(sums[0] / count) -
                                                         centered * of_channels(inverse * inverse * sums[1] / count));
    return {to_x.to(x.scalar_type()), to_weight, to_bias, Tensor(), Tensor(), Tensor(), Tensor(), Tensor()};
  }
};

Tensor sync_batch_norm_relu(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                            const Tensor& running_var, const compat::Optional<Tensor>& residual, bool relu,
                            double momentum, double epsilon, int64_t group) {
  if (norm_kernels_take(x, weight, bias, running_mean, running_var, residual))
    return norm_by_kernels(x, weight, bias, running_mean, running_var, residual, relu, momentum, epsilon, group);
  const Tensor y = SyncNorm::apply(x, weight, bias, running_mean, running_var, momentum, epsilon, group);
  const Tensor sum = residual.has_value() && residual->defined() ? y + *residual : y;
  return relu ? sum.relu() : sum;
}

}  // namespace
}  // namespace distillsharp

TORCH_LIBRARY_FRAGMENT(distillsharp, library) {
  library.def(
      "sync_batch_norm_relu(Tensor x, Tensor weight, Tensor bias, Tensor running_mean, Tensor running_var, Tensor? "
      "residual, bool relu, float momentum, float eps, int group) -> Tensor",
      TORCH_FN(distillsharp::sync_batch_norm_relu));
}
