// What every file behind the C boundary shares: the error guard and the two directions of a tensor handle.
#pragma once
#include <ATen/ATen.h>

#include <exception>
#include <string>

#include "distillsharp.h"

namespace distillsharp {

enum Status { ok = 0, failed = 1, lost_processes = 2 };

void set_last_error(std::string message);

// That processes lost one another is told apart from other failures even where the exception comes through libtorch's
// autograd, which may hand on another.
void note_lost_processes(const std::string& message);
bool take_lost_processes(std::string& message);

// The first line of a libtorch message; its C++ backtrace means nothing to a .NET user.
std::string without_backtrace(const std::exception& error);

// Runs body and turns any exception into a status. Nothing may throw across the C boundary.
template <typename Body>
int guarded(Body&& body) noexcept {
  try {
    body();
    return ok;
  } catch (const std::exception& error) {
    set_last_error(without_backtrace(error));
  } catch (...) {
    set_last_error("an exception of unknown type");
  }
  if (std::string lost; take_lost_processes(lost)) {
    set_last_error(std::move(lost));
    return lost_processes;
  }
  return failed;
}

// A handle is an owned reference to a TensorImpl.
inline ds_tensor give(at::Tensor tensor) {
  return tensor.defined() ? reinterpret_cast<ds_tensor>(tensor.unsafeReleaseTensorImpl()) : nullptr;
}

inline at::Tensor borrow(ds_tensor handle) {
  if (handle == nullptr) return {};
  return at::Tensor(c10::intrusive_ptr<at::TensorImpl, c10::UndefinedTensorImpl>::reclaim_copy(
      reinterpret_cast<at::TensorImpl*>(handle)));
}

void copy_text(const std::string& text, char* buffer, int32_t capacity);

}  // namespace distillsharp
