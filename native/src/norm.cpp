// distillsharp::batch_norm_relu: batch norm in training, the addition of a residual and the ReLU as one operator, with
// its gradient. libtorch's own operators for the three go over the activations once more for each of them.
#include "../kernels/norm.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <cmath>
#include <vector>

#include "distributed.h"
#include "norm.h"

namespace distillsharp {

namespace {

using at::Tensor;

constexpr auto channels_last = at::MemoryFormat::ChannelsLast;

Element element_of(const Tensor& x) { return x.scalar_type() == at::kBFloat16 ? Element::bfloat16 : Element::float32; }

struct Rows {
  int64_t count, channels;
  explicit Rows(const Tensor& x) : count(x.size(0) * x.size(2) * x.size(3)), channels(x.size(1)) {}
};

// Gives each thread one range of rows; the same ranges for the same number of threads.
template <typename Body>
void over_rows(int64_t rows, int parts, const Body& body) {
  at::parallel_for(0, parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part) body(part, rows * part / parts, rows * (part + 1) / parts);
  });
}

// Fewer rows than these are not worth a second thread.
int parts_for(const Rows& rows) { return rows.count * rows.channels < 16384 ? 1 : at::get_num_threads(); }

// Sums over all rows: body adds those of a range to the two arrays [channels] that it is given.
template <typename Body>
std::vector<double> sums(const Rows& rows, const Body& body) {
  const int parts = parts_for(rows);
  std::vector<double> all(2 * rows.channels * parts);
  over_rows(rows.count, parts, [&](int64_t part, int64_t first, int64_t last) {
    double* mine = all.data() + 2 * rows.channels * part;
    body(mine, mine + rows.channels, first, last);
  });
  for (int part = 1; part < parts; ++part)
    for (int64_t i = 0; i < 2 * rows.channels; ++i) all[i] += all[2 * rows.channels * part + i];
  all.resize(2 * rows.channels);
  return all;
}

struct Statistics {
  Tensor values;  // the mean and 1 / sqrt(variance + epsilon) of each channel, [2, C]
  double count;   // rows, over all processes
};

// Moves the running statistics.
Statistics statistics(const Tensor& x, const Tensor& running_mean, const Tensor& running_var, double momentum,
                      double epsilon, ds_process_group group) {
  const Rows rows(x);
  const auto& kernels = norm_kernels();
  // The sums are taken of what differs from the first row: a mean far from zero costs no digits.
  const Tensor pivot = x.select(0, 0).select(1, 0).select(1, 0).to(at::kFloat).contiguous();
  const auto total = sums(rows, [&](double* sum, double* square, int64_t first, int64_t last) {
    kernels.moments({x.data_ptr(), pivot.data_ptr<float>(), sum, square}, element_of(x), first, last, rows.channels);
  });
  const double own = static_cast<double>(rows.count);
  const Tensor moments = at::empty({2, rows.channels}, at::kDouble);
  double* average = moments.data_ptr<double>();
  double* spread = average + rows.channels;
  for (int64_t c = 0; c < rows.channels; ++c) {
    const double offset = total[c] / own;
    average[c] = pivot.data_ptr<float>()[c] + offset;
    spread[c] = std::max(total[rows.channels + c] - total[c] * offset, 0.0);
  }
  const double count = group == nullptr ? own : combine_moments(group, own, moments);

  Tensor result =
      at::empty({2, rows.channels}, x.options().dtype(at::kFloat).memory_format(at::MemoryFormat::Contiguous));
  float* mean = result.data_ptr<float>();
  float* inverse = mean + rows.channels;
  float* kept_mean = running_mean.data_ptr<float>();
  float* kept_var = running_var.data_ptr<float>();
  for (int64_t c = 0; c < rows.channels; ++c) {
    mean[c] = static_cast<float>(average[c]);
    inverse[c] = static_cast<float>(1 / std::sqrt(spread[c] / count + epsilon));
    kept_mean[c] = static_cast<float>(momentum * average[c] + (1 - momentum) * kept_mean[c]);
    kept_var[c] = static_cast<float>(momentum * (spread[c] / (count - 1)) + (1 - momentum) * kept_var[c]);
  }
  return {result, count};
}

Tensor normalise(const Tensor& x, const Tensor& statistics, const Tensor& weight, const Tensor& bias,
                 const Tensor& residual, bool relu) {
  const Rows rows(x);
  std::vector<float> scale(rows.channels), shift(rows.channels);
  const float* mean = statistics.data_ptr<float>();
  const float* inverse = mean + rows.channels;
  for (int64_t c = 0; c < rows.channels; ++c) {
    scale[c] = inverse[c] * weight.data_ptr<float>()[c];
    shift[c] = bias.data_ptr<float>()[c] - mean[c] * scale[c];
  }
  Tensor y = at::empty_like(x, x.options().memory_format(channels_last));
  const NormApply job{
      x.data_ptr(), residual.defined() ? residual.data_ptr() : nullptr, y.data_ptr(), scale.data(), shift.data(), relu};
  over_rows(rows.count, parts_for(rows), [&](int64_t, int64_t first, int64_t last) {
    norm_kernels().apply(job, element_of(x), first, last, rows.channels);
  });
  return y;
}

struct NormRelu : torch::autograd::Function<NormRelu> {
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x, const Tensor& weight,
                        const Tensor& bias, const Tensor& running_mean, const Tensor& running_var,
                        const compat::Optional<Tensor>& residual, bool relu, double momentum, double epsilon,
                        int64_t group) {
    at::AutoDispatchBelowADInplaceOrView below;
    const auto [stats, count] =
        statistics(x, running_mean, running_var, momentum, epsilon, reinterpret_cast<ds_process_group>(group));
    Tensor y = normalise(x, stats, weight, bias, residual.value_or(Tensor()), relu);
    context->save_for_backward({x, relu ? y : Tensor(), stats, weight});
    context->saved_data["count"] = count;
    context->saved_data["group"] = group;
    context->saved_data["residual"] = residual.has_value() && residual->defined() && residual->requires_grad();
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &y = saved[1], &stats = saved[2], &weight = saved[3];
    const Rows rows(x);
    const auto element = element_of(x);
    const auto& kernels = norm_kernels();
    const Tensor gradient = gradients[0].to(x.scalar_type()).contiguous(channels_last);
    const void* output = y.defined() ? y.data_ptr() : nullptr;
    const float* mean = stats.data_ptr<float>();
    const float* inverse = mean + rows.channels;

    const bool to_residual = context->saved_data["residual"].toBool();
    Tensor passed = to_residual && y.defined() ? at::empty_like(gradient) : Tensor();
    const NormReduce reduction{gradient.data_ptr(),
                               output,
                               x.data_ptr(),
                               passed.defined() ? passed.data_ptr() : nullptr,
                               mean,
                               nullptr,
                               nullptr};
    auto total = sums(rows, [&](double* sum_g, double* sum_gx, int64_t first, int64_t last) {
      auto mine = reduction;
      mine.sum_g = sum_g;
      mine.sum_gx = sum_gx;
      kernels.reduce(mine, element, first, last, rows.channels);
    });

    const auto of_channels = weight.options();
    Tensor to_weight = at::empty({rows.channels}, of_channels), to_bias = at::empty({rows.channels}, of_channels);
    std::vector<float> factor(rows.channels), mean_g(rows.channels), slope(rows.channels);
    const double count = context->saved_data["count"].toDouble();
    // The gradients of scale and shift are of this process's rows alone: all gradients are summed over the processes
    // later.
    for (int64_t c = 0; c < rows.channels; ++c) {
      to_bias.data_ptr<float>()[c] = static_cast<float>(total[c]);
      to_weight.data_ptr<float>()[c] = static_cast<float>(total[rows.channels + c] * inverse[c]);
    }
    if (const auto group = context->saved_data["group"].toInt(); group != 0)
      sum_over_processes(reinterpret_cast<ds_process_group>(group),
                         at::from_blob(total.data(), {2 * rows.channels}, at::kDouble));
    for (int64_t c = 0; c < rows.channels; ++c) {
      const double sum_g = total[c], sum_gx = total[rows.channels + c];
      factor[c] = weight.data_ptr<float>()[c] * inverse[c];
      mean_g[c] = static_cast<float>(sum_g / count);
      slope[c] = static_cast<float>(sum_gx * inverse[c] * inverse[c] / count);
    }

    Tensor to_x = at::empty_like(x, x.options().memory_format(channels_last));
    // Where g was written down already, it is read from there: one array less.
    const NormGradient job{passed.defined() ? passed.data_ptr() : gradient.data_ptr(),
                           passed.defined() ? nullptr : output,
                           x.data_ptr(),
                           to_x.data_ptr(),
                           mean,
                           factor.data(),
                           mean_g.data(),
                           slope.data()};
    over_rows(rows.count, parts_for(rows), [&](int64_t, int64_t first, int64_t last) {
      kernels.gradient(job, element, first, last, rows.channels);
    });
    const Tensor to_sum = !to_residual ? Tensor() : passed.defined() ? passed : gradient;
    return {to_x, to_weight, to_bias, Tensor(), Tensor(), to_sum, Tensor(), Tensor(), Tensor(), Tensor()};
  }
};

bool takes(const Tensor& x) {
  return x.is_cpu() && x.dim() == 4 && x.numel() > 0 &&
         (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16) && x.is_contiguous(channels_last) &&
         !x.is_contiguous();
}

bool plain_floats(const Tensor& x) { return x.scalar_type() == at::kFloat && x.is_contiguous(); }

}  // namespace

bool norm_kernels_take(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                       const Tensor& running_var, const compat::Optional<Tensor>& residual) {
  return takes(x) && plain_floats(weight) && plain_floats(bias) && plain_floats(running_mean) &&
         plain_floats(running_var) &&
         (!residual.has_value() || !residual->defined() ||
          (takes(*residual) && residual->sizes() == x.sizes() && residual->scalar_type() == x.scalar_type()));
}

Tensor norm_by_kernels(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                       const Tensor& running_var, const compat::Optional<Tensor>& residual, bool relu, double momentum,
                       double epsilon, int64_t group) {
  return NormRelu::apply(x, weight, bias, running_mean, running_var, residual, relu, momentum, epsilon, group);
}

namespace {

// What the kernels do not take (row-major order, a GPU, other types) goes through libtorch's own operators, in their
// order.
Tensor batch_norm_relu(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                       const Tensor& running_var, const compat::Optional<Tensor>& residual, bool relu, double momentum,
                       double epsilon) {
  if (norm_kernels_take(x, weight, bias, running_mean, running_var, residual) && x.size(0) * x.size(2) * x.size(3) > 1)
    return norm_by_kernels(x, weight, bias, running_mean, running_var, residual, relu, momentum, epsilon, 0);
  Tensor y = at::batch_norm(x, weight, bias, running_mean, running_var, true, momentum, epsilon, true);
  if (residual.has_value() && residual->defined()) y.add_(*residual);
  return relu ? y.relu_() : y;
}

}  // namespace
}  // namespace distillsharp

TORCH_LIBRARY_FRAGMENT(distillsharp, library) {
  library.def(
      "batch_norm_relu(Tensor x, Tensor weight, Tensor bias, Tensor running_mean, Tensor running_var, Tensor? "
      "residual, bool relu, "
      "float momentum, float eps) -> Tensor",
      TORCH_FN(distillsharp::batch_norm_relu));
}
