// The one place that asks which libtorch this is.
#pragma once
#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <torch/version.h>

#include <cstdlib>
#include <optional>

#define DS_LIBTORCH_AT_LEAST(major, minor) \
  (TORCH_VERSION_MAJOR > (major) || (TORCH_VERSION_MAJOR == (major) && TORCH_VERSION_MINOR >= (minor)))

namespace c10d {
class Backend;
class ProcessGroup;
}  // namespace c10d

namespace distillsharp::compat {

// Newer releases have only the standard's; in those between, one is a name of the other.
#if DS_LIBTORCH_AT_LEAST(2, 5)
template <typename T>
using Optional = std::optional<T>;
inline constexpr auto none = std::nullopt;
#else
template <typename T>
using Optional = c10::optional<T>;
inline constexpr auto none = c10::nullopt;
#endif

// A GPU's operators give the same bits each time: a resumed run then goes on as it would have. cuBLAS asks for its
// workspaces by the environment, and reads it when it is first used. Operators without such a form only warn.
inline void make_deterministic() {
  setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
  auto& context = at::globalContext();
  context.setBenchmarkCuDNN(false);
  context.setDeterministicCuDNN(true);
  context.setDeterministicAlgorithms(true, true);
#if DS_LIBTORCH_AT_LEAST(2, 2)
  // Else every new tensor would be filled before it is written.
  context.setDeterministicFillUninitializedMemory(false);
#endif
}

// Newer releases let a store be served by libuv unless told otherwise, which Debian's are built without. Clients see no
// difference.
template <typename Options>
auto without_libuv(Options& options, int) -> decltype(void(options.useLibUV = false)) {
  options.useLibUV = false;
}
template <typename Options>
void without_libuv(Options&, long) {}

#if DS_LIBTORCH_AT_LEAST(2, 4)

inline bool autocast_enabled(at::DeviceType device) { return at::autocast::is_autocast_enabled(device); }
inline at::ScalarType autocast_dtype(at::DeviceType device) { return at::autocast::get_autocast_dtype(device); }
inline void set_autocast(at::DeviceType device, bool enabled) { at::autocast::set_autocast_enabled(device, enabled); }
inline void set_autocast_dtype(at::DeviceType device, at::ScalarType type) {
  at::autocast::set_autocast_dtype(device, type);
}

#else

inline bool autocast_enabled(at::DeviceType device) {
  return device == at::kCPU ? at::autocast::is_cpu_enabled() : at::autocast::is_enabled();
}
inline at::ScalarType autocast_dtype(at::DeviceType device) {
  return device == at::kCPU ? at::autocast::get_autocast_cpu_dtype() : at::autocast::get_autocast_gpu_dtype();
}
inline void set_autocast(at::DeviceType device, bool enabled) {
  device == at::kCPU ? at::autocast::set_cpu_enabled(enabled) : at::autocast::set_enabled(enabled);
}
inline void set_autocast_dtype(at::DeviceType device, at::ScalarType type) {
  device == at::kCPU ? at::autocast::set_autocast_cpu_dtype(type) : at::autocast::set_autocast_gpu_dtype(type);
}

#endif

// What joins processes by one library is a process group by itself, and a part of one later.
#if DS_LIBTORCH_AT_LEAST(2, 0)
using ProcessBackend = c10d::Backend;
#else
using ProcessBackend = c10d::ProcessGroup;
#endif

// NCCL hands its failures to the caller that waits, instead of ending the process from a thread of its own.
inline void make_nccl_wait() {
  setenv("NCCL_BLOCKING_WAIT", "1", 0);
  setenv("TORCH_NCCL_BLOCKING_WAIT", "1", 0);
}

}  // namespace distillsharp::compat
