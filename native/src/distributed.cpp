// Processes that compute together: libtorch's c10d, by Gloo on processors and by NCCL on GPUs, found by a TCPStore.
#include "distributed.h"

#ifdef DISTILLSHARP_C10D
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#ifdef USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif
#endif

#include <cstdlib>
#include <stdexcept>
#include <vector>

using distillsharp::borrow;
using distillsharp::copy_text;
using distillsharp::give;
using distillsharp::guarded;
namespace compat = distillsharp::compat;

#ifdef DISTILLSHARP_C10D

struct ds_process_group_s {
  c10::intrusive_ptr<compat::ProcessBackend> backend;
  c10::intrusive_ptr<c10d::Store> store;
  std::chrono::milliseconds timeout;
};

namespace distillsharp {

void with_others(const char* what, const std::function<void()>& body) {
  try {
    body();
  } catch (const std::exception& error) {
    note_lost_processes(std::string(what) + ": " + without_backtrace(error));
    throw;
  }
}

compat::ProcessBackend& backend_of(ds_process_group group) { return *group->backend; }

Work start_sum(ds_process_group group, const at::Tensor& tensor) {
  std::vector<at::Tensor> tensors{tensor};
  return group->backend->allreduce(tensors);
}

void sum_over_processes(ds_process_group group, at::Tensor tensor) {
  with_others("a sum over the processes", [&] { start_sum(group, tensor)->wait(); });
}

at::Tensor gather_of_processes(ds_process_group group, const at::Tensor& tensor) {
  auto& backend = backend_of(group);
  std::vector<at::Tensor> mine{tensor.contiguous()};
  std::vector<int64_t> sizes{backend.getSize()};
  sizes.insert(sizes.end(), tensor.sizes().begin(), tensor.sizes().end());
  at::Tensor all = at::empty(sizes, tensor.options().memory_format(at::MemoryFormat::Contiguous));
  std::vector<std::vector<at::Tensor>> parts{all.unbind()};
  with_others("gathering from the processes", [&] { backend.allgather(parts, mine)->wait(); });
  return all;
}

namespace {

c10::intrusive_ptr<compat::ProcessBackend> join_by_gloo(const c10::intrusive_ptr<c10d::Store>& store,
                                                        const ds_rendezvous& at, std::chrono::milliseconds timeout) {
  auto options = c10d::ProcessGroupGloo::Options::create();
  options->timeout = timeout;
  const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
  options->devices.push_back(interface != nullptr && *interface != '\0'
                                 ? c10d::ProcessGroupGloo::createDeviceForInterface(interface)
                                 : c10d::ProcessGroupGloo::createDefaultDevice());
  return c10::make_intrusive<c10d::ProcessGroupGloo>(store, at.rank, at.size, options);
}

c10::intrusive_ptr<compat::ProcessBackend> join_by_nccl(const c10::intrusive_ptr<c10d::Store>& store,
                                                        const ds_rendezvous& at, std::chrono::milliseconds timeout) {
#ifdef USE_C10D_NCCL
  compat::make_nccl_wait();
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = timeout;
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, at.rank, at.size, options);
#else
  (void)store, (void)at, (void)timeout;
  TORCH_CHECK(false, "this build cannot join GPUs: it was made without NCCL's header, nccl.h");
#endif
}

}  // namespace
}  // namespace distillsharp

using namespace distillsharp;

int ds_process_backends(char* buffer, int32_t capacity) {
#ifdef USE_C10D_NCCL
  return guarded([&] { copy_text("gloo,nccl", buffer, capacity); });
#else
  return guarded([&] { copy_text("gloo", buffer, capacity); });
#endif
}

int ds_process_group_join(const ds_rendezvous* rendezvous, ds_process_group* joined) {
  return guarded([&] {
    const std::chrono::milliseconds timeout(rendezvous->timeout_milliseconds);
    auto group = std::make_unique<ds_process_group_s>();
    group->timeout = timeout;
    with_others("joining the processes", [&] {
      c10d::TCPStoreOptions options;
      options.port = static_cast<uint16_t>(rendezvous->port);
      options.isServer = rendezvous->is_server != 0;
      options.numWorkers = rendezvous->size;
      options.timeout = timeout;
      // Whoever keeps the store for this group may keep it for others as well.
      options.waitWorkers = false;
      compat::without_libuv(options, 0);
      auto store = c10::make_intrusive<c10d::TCPStore>(rendezvous->host, options);
      group->store = c10::make_intrusive<c10d::PrefixStore>(rendezvous->prefix, store);
      group->store->setTimeout(timeout);
      group->backend = rendezvous->device_index < 0 ? join_by_gloo(group->store, *rendezvous, timeout)
                                                    : join_by_nccl(group->store, *rendezvous, timeout);
    });
    *joined = group.release();
  });
}

void ds_process_group_leave(ds_process_group group) { delete group; }

int ds_process_group_sum(ds_process_group group, ds_tensor tensor) {
  return guarded([&] { sum_over_processes(group, borrow(tensor)); });
}

int ds_process_group_broadcast(ds_process_group group, ds_tensor tensor, int32_t root) {
  return guarded([&] {
    with_others("a broadcast", [&] {
      std::vector<at::Tensor> tensors{borrow(tensor)};
      c10d::BroadcastOptions options;
      options.rootRank = root;
      group->backend->broadcast(tensors, options)->wait();
    });
  });
}

int ds_process_group_gather(ds_process_group group, ds_tensor tensor, ds_tensor* gathered) {
  return guarded([&] { *gathered = give(gather_of_processes(group, borrow(tensor))); });
}

int ds_process_group_barrier(ds_process_group group) {
  return guarded([&] { with_others("waiting for the processes", [&] { group->backend->barrier()->wait(); }); });
}

#else

namespace distillsharp {

void sum_over_processes(ds_process_group, at::Tensor) { TORCH_CHECK(false, "there are no processes to sum over"); }

at::Tensor gather_of_processes(ds_process_group, const at::Tensor&) {
  TORCH_CHECK(false, "there are no processes to gather from");
}

}  // namespace distillsharp

namespace {

int absent() {
  return guarded([] { TORCH_CHECK(false, "this build cannot join processes"); });
}

}  // namespace

int ds_process_backends(char* buffer, int32_t capacity) {
  return guarded([&] { copy_text("", buffer, capacity); });
}
int ds_process_group_join(const ds_rendezvous*, ds_process_group*) { return absent(); }
void ds_process_group_leave(ds_process_group) {}
int ds_process_group_sum(ds_process_group, ds_tensor) { return absent(); }
int ds_process_group_broadcast(ds_process_group, ds_tensor, int32_t) { return absent(); }
int ds_process_group_gather(ds_process_group, ds_tensor, ds_tensor*) { return absent(); }
int ds_process_group_barrier(ds_process_group) { return absent(); }

#endif
