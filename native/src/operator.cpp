// Any ATen operator by name: no function per operator, here or in C#.
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>

#include "boundary.h"
#include "libtorch_version.h"

using distillsharp::borrow;
using distillsharp::give;
using distillsharp::guarded;

namespace {

c10::IValue to_ivalue(const ds_value& value) {
  switch (value.kind) {
    case DS_NONE:
      return {};
    case DS_TENSOR:
      return borrow(value.tensor);
    case DS_INT:
      return value.integer;
    case DS_DOUBLE:
      return value.real;
    case DS_BOOL:
      return value.integer != 0;
    case DS_INT_LIST: {
      const auto* items = static_cast<const int64_t*>(value.pointer);
      return c10::List<int64_t>(at::ArrayRef<int64_t>(items, value.count));
    }
    case DS_BOOL_LIST: {
      const auto* items = static_cast<const uint8_t*>(value.pointer);
      c10::List<bool> list;
      list.reserve(value.count);
      for (int32_t i = 0; i < value.count; ++i) list.push_back(items[i] != 0);
      return list;
    }
    case DS_TENSOR_LIST: {
      const auto* items = static_cast<const ds_tensor*>(value.pointer);
      c10::List<at::Tensor> list;
      list.reserve(value.count);
      for (int32_t i = 0; i < value.count; ++i) list.push_back(borrow(items[i]));
      return list;
    }
    case DS_OPTIONAL_TENSOR_LIST: {
      const auto* items = static_cast<const ds_tensor*>(value.pointer);
      c10::List<distillsharp::compat::Optional<at::Tensor>> list;
      list.reserve(value.count);
      for (int32_t i = 0; i < value.count; ++i) {
        if (items[i] == nullptr)
          list.push_back(distillsharp::compat::none);
        else
          list.push_back(borrow(items[i]));
      }
      return list;
    }
    case DS_STRING:
      return std::string(static_cast<const char*>(value.pointer), value.count);
    case DS_DEVICE:
      return c10::Device(static_cast<c10::DeviceType>(value.integer >> 32),
                         static_cast<c10::DeviceIndex>(static_cast<int32_t>(value.integer & 0xffffffff)));
    default:
      TORCH_CHECK(false, "an argument of unknown kind ", value.kind);
  }
}

// Writes one result; a tensor list becomes one value for each tensor.
void append(c10::IValue&& value, ds_value* results, int32_t capacity, int32_t* written) {
  const auto next = [&]() -> ds_value& {
    TORCH_CHECK(*written < capacity, "the operator returned more than the ", capacity, " values expected");
    return results[(*written)++];
  };
  if (value.isTensor()) {
    auto& result = next();
    result.kind = DS_TENSOR;
    result.tensor = give(std::move(value).toTensor());
  } else if (value.isInt()) {
    auto& result = next();
    result.kind = DS_INT;
    result.integer = value.toInt();
  } else if (value.isDouble()) {
    auto& result = next();
    result.kind = DS_DOUBLE;
    result.real = value.toDouble();
  } else if (value.isBool()) {
    auto& result = next();
    result.kind = DS_BOOL;
    result.integer = value.toBool() ? 1 : 0;
  } else if (value.isTensorList()) {
    for (const at::Tensor& item : value.toTensorVector()) append(item, results, capacity, written);
  } else if (value.isNone()) {
    next().kind = DS_NONE;
  } else {
    TORCH_CHECK(false, "the operator returned a value of type ", value.tagKind(), ", which is not supported");
  }
}

void free_results(ds_value* results, int32_t* written) {
  for (int32_t i = 0; i < *written; ++i)
    if (results[i].kind == DS_TENSOR) ds_tensor_free(results[i].tensor);
  *written = 0;
}

}  // namespace

// OperatorHandle is one iterator: small enough to be kept for the life of the process, and never freed.
int ds_operator_find(const char* name, const char* overload, ds_operator* found) {
  return guarded([&] {
    const auto handle = c10::Dispatcher::singleton().findSchema({name, overload});
    TORCH_CHECK(handle.has_value(), "this libtorch has no operator ", name, overload[0] != '\0' ? "." : "", overload);
    *found = reinterpret_cast<ds_operator>(new c10::OperatorHandle(*handle));
  });
}

int ds_operator_call(ds_operator op, const ds_value* arguments, int32_t count, ds_value* results, int32_t capacity,
                     int32_t* written) {
  *written = 0;
  const int status = guarded([&] {
    const auto& handle = *reinterpret_cast<const c10::OperatorHandle*>(op);
    torch::jit::Stack stack;
    stack.reserve(handle.schema().arguments().size());
    for (int32_t i = 0; i < count; ++i) stack.push_back(to_ivalue(arguments[i]));
    // Fills defaults and checks types: without it, too few arguments would be read past the stack's end.
    handle.schema().checkAndNormalizeInputs(stack);
    handle.callBoxed(stack);
    for (auto& value : stack) append(std::move(value), results, capacity, written);
  });
  if (status != 0) free_results(results, written);
  return status;
}
