// The process-wide state of libtorch: allocator, threads, precision, randomness, devices.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <dlfcn.h>
#include <malloc.h>
#include <torch/cuda.h>

#include <algorithm>
#include <atomic>
#include <chrono>

#include "../kernels/conv.h"
#include "../kernels/peak.h"
#include "boundary.h"
#include "libtorch_version.h"
#include "onednn.h"

using distillsharp::copy_text;
using distillsharp::guarded;
namespace compat = distillsharp::compat;

namespace {

// For the whole process: float32 products of a GPU in TF32, which rounds them to 11 binary digits.
void allow_tf32(bool allowed) {
  at::globalContext().setAllowTF32CuDNN(allowed);
  at::globalContext().setAllowTF32CuBLAS(allowed);
}

}  // namespace

int ds_runtime_start(void) {
  return guarded([] {
    // glibc gives large blocks back to the kernel at every free, and the page faults of taking them again double the
    // time of a training step. Keep them: a step asks for the same sizes again and again.
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 2047 << 20);
    mallopt(M_TOP_PAD, 64 << 20);
    distillsharp::leave_out_onednn_where_wrong();
#ifdef DISTILLSHARP_CUDA
    // Without this, libtorch_cuda's registrations are silently absent.
    const char* const name = "libtorch_cuda.so";
    TORCH_CHECK(dlopen(name, RTLD_NOW | RTLD_GLOBAL) != nullptr, "this is a build for CUDA, and ", name,
                " cannot be loaded: ", dlerror());
    if (torch::cuda::is_available()) {
      compat::make_deterministic();
      allow_tf32(false);
    }
#endif
  });
}

const char* ds_libtorch_version(void) { return TORCH_VERSION; }

int ds_build_description(char* buffer, int32_t capacity) {
  return guarded([&] { copy_text(at::show_config(), buffer, capacity); });
}

int ds_library_path(char* buffer, int32_t capacity) {
  return guarded([&] {
    Dl_info info{};
    const bool found = dladdr(reinterpret_cast<const void*>(&at::show_config), &info) != 0;
    copy_text(found ? info.dli_fname : "", buffer, capacity);
  });
}

int32_t ds_threads(void) { return at::get_num_threads(); }

int ds_set_threads(int32_t count) {
  return guarded([&] { at::set_num_threads(count); });
}

int ds_multiply_adds_per_second(double* rate) {
  return guarded([&] {
    constexpr int64_t rounds = 1000000;
    const int threads = at::get_num_threads();
    *rate = 0;
    for (int i = 0; i < 10; ++i) {
      std::atomic<int64_t> done{0};
      const auto start = std::chrono::steady_clock::now();
      at::parallel_for(0, threads, 1, [&](int64_t first, int64_t last) {
        for (int64_t thread = first; thread < last; ++thread) done += distillsharp::multiply_adds(rounds);
      });
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      *rate = std::max(*rate, static_cast<double>(done) / seconds.count());
    }
  });
}

int ds_manual_seed(uint64_t seed) {
  return guarded([&] { at::manual_seed(seed); });
}

int ds_autocast_enter(int32_t device_type, uint8_t enabled, int32_t dtype, uint8_t* before) {
  return guarded([&] {
    const auto device = static_cast<at::DeviceType>(device_type);
    *before = compat::autocast_enabled(device) ? 1 : 0;
    compat::set_autocast_dtype(device, static_cast<at::ScalarType>(dtype));
    compat::set_autocast(device, enabled != 0);
    at::autocast::increment_nesting();
  });
}

int ds_autocast_leave(int32_t device_type, uint8_t before) {
  return guarded([&] {
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    compat::set_autocast(static_cast<at::DeviceType>(device_type), before != 0);
  });
}

uint8_t ds_leaves_out_onednn(void) { return distillsharp::onednn_left_out(); }

uint8_t ds_has_native_bf16(void) { return distillsharp::conv_kernels(distillsharp::Element::bfloat16) != nullptr; }

int ds_allow_tf32(uint8_t allowed) {
  return guarded([&] { allow_tf32(allowed != 0); });
}

int32_t ds_cuda_device_count(void) { return static_cast<int32_t>(torch::cuda::device_count()); }

int ds_cuda_synchronize(int32_t index) {
  return guarded([&] { torch::cuda::synchronize(index); });
}
