// Handles, descriptions and gradients of tensors.
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include "boundary.h"

using distillsharp::borrow;
using distillsharp::give;
using distillsharp::guarded;

void ds_tensor_free(ds_tensor tensor) {
  if (tensor == nullptr) return;
  c10::intrusive_ptr<at::TensorImpl, c10::UndefinedTensorImpl>::reclaim(reinterpret_cast<at::TensorImpl*>(tensor));
}

int ds_tensor_describe(ds_tensor handle, ds_tensor_info* info) {
  return guarded([&] {
    const auto tensor = borrow(handle);
    TORCH_CHECK(tensor.dim() <= 8, "a tensor of ", tensor.dim(), " dimensions; at most 8 are supported");
    info->dtype = static_cast<int32_t>(tensor.scalar_type());
    info->device_type = static_cast<int32_t>(tensor.device().type());
    info->device_index = tensor.device().index();
    info->dimensions = static_cast<int32_t>(tensor.dim());
    info->count = tensor.numel();
    for (int64_t i = 0; i < tensor.dim(); ++i) {
      info->sizes[i] = tensor.size(i);
      info->strides[i] = tensor.stride(i);
    }
    info->data = tensor.data_ptr();
    info->requires_grad = tensor.requires_grad();
    info->is_leaf = tensor.is_leaf();
  });
}

int ds_tensor_set_requires_grad(ds_tensor tensor, uint8_t value) {
  return guarded([&] { borrow(tensor).set_requires_grad(value != 0); });
}

int ds_tensor_grad(ds_tensor tensor, ds_tensor* gradient) {
  return guarded([&] { *gradient = give(borrow(tensor).grad()); });
}

int ds_tensor_set_grad(ds_tensor tensor, ds_tensor gradient) {
  return guarded([&] { borrow(tensor).mutable_grad() = borrow(gradient); });
}

int ds_tensor_set_data(ds_tensor tensor, ds_tensor data) {
  return guarded([&] { borrow(tensor).set_data(borrow(data)); });
}

int ds_tensors_clear_grad(const ds_tensor* tensors, int32_t count) {
  return guarded([&] {
    for (int32_t i = 0; i < count; ++i) borrow(tensors[i]).mutable_grad().reset();
  });
}

int ds_tensors_grad(const ds_tensor* tensors, int32_t count, ds_tensor* gradients) {
  return guarded([&] {
    for (int32_t i = 0; i < count; ++i) gradients[i] = give(borrow(tensors[i]).grad());
  });
}

int ds_backward(ds_tensor root, ds_tensor gradient) {
  return guarded([&] { torch::autograd::backward({borrow(root)}, {borrow(gradient)}); });
}

uint8_t ds_grad_mode(void) { return at::GradMode::is_enabled() ? 1 : 0; }

void ds_set_grad_mode(uint8_t enabled) { at::GradMode::set_enabled(enabled != 0); }
