// Sums gradients over processes while the backward pass still computes others: parameters are put into buckets in the
// order in which their gradients come, and a bucket whose gradients are all there is sent on its way. libtorch's own
// c10d::Reducer does the same for Python; Debian's headers of it include one that is not shipped.
#include "distributed.h"

#ifdef DISTILLSHARP_C10D

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <memory>
#include <vector>

namespace {

using at::Tensor;
using distillsharp::Work;

// The first bucket is small, so that it leaves early; as in torch.nn.parallel.DistributedDataParallel.
constexpr int64_t first_bucket_bytes = 1 << 20;

struct Member {
  Tensor parameter;
  decltype(torch::autograd::impl::grad_accumulator(Tensor())) accumulator;
  uintptr_t hook = 0;
  size_t bucket = 0;
  double scale = 1;
  int64_t offset = 0;
  bool ready = false;
};

struct Bucket {
  std::vector<size_t> members;
  int64_t elements = 0;
  size_t missing = 0;
  Tensor flat;
  Work work;
};

}  // namespace

struct ds_gradient_reducer_s {
  explicit ds_gradient_reducer_s(ds_process_group group) : group(group) {}
  ds_gradient_reducer_s(const ds_gradient_reducer_s&) = delete;

  ~ds_gradient_reducer_s() {
    for (auto& member : members) member.accumulator->del_post_hook(member.hook);
  }

  void add(const Tensor& parameter, double scale, int64_t bucket_bytes);
  void begin();
  void end();
  void arrived(size_t index);

  int32_t early = 0;

 private:
  void launch_ready(bool all);
  void launch(Bucket& bucket);
  Tensor place(const Member& member) const {
    return buckets[member.bucket]
        .flat.narrow(0, member.offset, member.parameter.numel())
        .view(member.parameter.sizes());
  }

  ds_process_group group;
  std::vector<Member> members;
  std::vector<Bucket> buckets;
  size_t next = 0;
  bool armed = false;
};

namespace {

struct ArrivalHook : torch::autograd::FunctionPostHook {
  ArrivalHook(ds_gradient_reducer_s* reducer, size_t index) : reducer(reducer), index(index) {}

  torch::autograd::variable_list operator()(const torch::autograd::variable_list& outputs,
                                            const torch::autograd::variable_list&) override {
    reducer->arrived(index);
    return outputs;
  }

  ds_gradient_reducer_s* reducer;
  size_t index;
};

}  // namespace

void ds_gradient_reducer_s::add(const Tensor& parameter, double scale, int64_t bucket_bytes) {
  const auto bytes = static_cast<int64_t>(parameter.nbytes());
  const auto fits = [&](const Bucket& last) {
    const auto limit = buckets.size() == 1 ? std::min(first_bucket_bytes, bucket_bytes) : bucket_bytes;
    const Tensor& other = members[last.members.front()].parameter;
    return other.scalar_type() == parameter.scalar_type() &&
           last.elements * static_cast<int64_t>(parameter.element_size()) + bytes <= limit;
  };
  if (buckets.empty() || !fits(buckets.back())) buckets.emplace_back();
  auto& bucket = buckets.back();
  Member member;
  member.parameter = parameter;
  member.accumulator = torch::autograd::impl::grad_accumulator(parameter);
  member.bucket = buckets.size() - 1;
  member.scale = scale;
  member.offset = bucket.elements;
  member.hook = member.accumulator->add_post_hook(std::make_unique<ArrivalHook>(this, members.size()));
  bucket.elements += parameter.numel();
  bucket.members.push_back(members.size());
  members.push_back(std::move(member));
}

void ds_gradient_reducer_s::begin() {
  for (auto& member : members) member.ready = false;
  for (auto& bucket : buckets) {
    bucket.missing = bucket.members.size();
    bucket.work.reset();
    if (!bucket.flat.defined())
      bucket.flat = at::empty({bucket.elements}, members[bucket.members.front()].parameter.options());
  }
  next = 0;
  early = 0;
  armed = true;
}

void ds_gradient_reducer_s::arrived(size_t index) {
  auto& member = members[index];
  if (!armed || member.ready) return;
  member.ready = true;
  --buckets[member.bucket].missing;
  launch_ready(false);
  early = static_cast<int32_t>(next);
}

// One after another, in an order that is the same in every process.
void ds_gradient_reducer_s::launch_ready(bool all) {
  const at::NoGradGuard off;
  while (next < buckets.size() && (all || buckets[next].missing == 0)) launch(buckets[next++]);
}

void ds_gradient_reducer_s::launch(Bucket& bucket) {
  for (const auto index : bucket.members) {
    const auto& member = members[index];
    const Tensor& gradient = member.parameter.grad();
    if (gradient.defined())
      place(member).copy_(gradient);
    else
      place(member).zero_();
  }
  distillsharp::with_others("summing gradients", [&] { bucket.work = distillsharp::start_sum(group, bucket.flat); });
}

void ds_gradient_reducer_s::end() {
  const at::NoGradGuard off;
  launch_ready(true);
  armed = false;
  for (auto& bucket : buckets) {
    distillsharp::with_others("summing gradients", [&] { bucket.work->wait(); });
    for (const auto index : bucket.members) {
      auto& member = members[index];
      auto& gradient = member.parameter.mutable_grad();
      if (!gradient.defined()) continue;
      gradient.copy_(place(member));
      if (member.scale != 1) gradient.mul_(member.scale);
    }
  }
}

int ds_gradient_reducer_make(ds_process_group group, const ds_tensor* parameters, const double* scales, int32_t count,
                             int64_t bucket_bytes, ds_gradient_reducer* made) {
  return distillsharp::guarded([&] {
    auto reducer = std::make_unique<ds_gradient_reducer_s>(group);
    // Gradients come from the last layer first.
    for (int32_t i = count - 1; i >= 0; --i) {
      const auto parameter = distillsharp::borrow(parameters[i]);
      if (parameter.requires_grad()) reducer->add(parameter, scales[i], bucket_bytes);
    }
    *made = reducer.release();
  });
}

int ds_gradient_reducer_begin(ds_gradient_reducer reducer) {
  return distillsharp::guarded([&] { reducer->begin(); });
}

int ds_gradient_reducer_end(ds_gradient_reducer reducer) {
  return distillsharp::guarded([&] { reducer->end(); });
}

int32_t ds_gradient_reducer_early(ds_gradient_reducer reducer) { return reducer->early; }

void ds_gradient_reducer_free(ds_gradient_reducer reducer) { delete reducer; }

#else

int ds_gradient_reducer_make(ds_process_group, const ds_tensor*, const double*, int32_t, int64_t,
                             ds_gradient_reducer*) {
  return distillsharp::guarded([] { TORCH_CHECK(false, "this build cannot join processes"); });
}
int ds_gradient_reducer_begin(ds_gradient_reducer) { return 0; }
int ds_gradient_reducer_end(ds_gradient_reducer) { return 0; }
int32_t ds_gradient_reducer_early(ds_gradient_reducer) { return 0; }
void ds_gradient_reducer_free(ds_gradient_reducer) {}

#endif
