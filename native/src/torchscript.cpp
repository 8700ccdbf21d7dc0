// Networks saved by torch.jit.
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include "boundary.h"

using distillsharp::borrow;
using distillsharp::copy_text;
using distillsharp::give;
using distillsharp::guarded;

namespace {

torch::jit::Module& module_of(ds_module module) { return *reinterpret_cast<torch::jit::Module*>(module); }

}  // namespace

int ds_module_load(const char* path, ds_module* loaded) {
  return guarded([&] {
    auto module = torch::jit::load(std::string(path), c10::Device(c10::kCPU));
    module.eval();
    for (auto parameter : module.parameters()) parameter.set_requires_grad(false);
    *loaded = reinterpret_cast<ds_module>(new torch::jit::Module(std::move(module)));
  });
}

void ds_module_free(ds_module module) { delete &module_of(module); }

int ds_module_forward(ds_module module, ds_tensor input, ds_tensor* results, int32_t capacity, int32_t* written) {
  *written = 0;
  return guarded([&] {
    const auto output = module_of(module).forward({borrow(input)});
    const auto add = [&](const c10::IValue& value) {
      TORCH_CHECK(value.isTensor(), "the network returned a ", value.tagKind(), " where a tensor was expected");
      TORCH_CHECK(*written < capacity, "the network returned more than ", capacity, " tensors");
      results[(*written)++] = give(value.toTensor());
    };
    try {
      if (output.isTuple())
        for (const auto& value : output.toTupleRef().elements()) add(value);
      else if (output.isTensorList() || output.isList())
        for (const auto& value : output.toListRef()) add(value);
      else
        add(output);
    } catch (...) {
      for (int32_t i = 0; i < *written; ++i) ds_tensor_free(results[i]);
      *written = 0;
      throw;
    }
  });
}

// Parameters first, then buffers. The tensors are the module's own: what moves them moves the module.
int ds_module_state(ds_module module, int32_t index, char* name, int32_t capacity, ds_tensor* tensor,
                    uint8_t* is_parameter) {
  *tensor = nullptr;
  return guarded([&] {
    int32_t at = 0;
    for (const auto& entry : module_of(module).named_parameters())
      if (at++ == index) {
        copy_text(entry.name, name, capacity);
        *tensor = give(entry.value);
        *is_parameter = 1;
        return;
      }
    for (const auto& entry : module_of(module).named_buffers())
      if (at++ == index) {
        copy_text(entry.name, name, capacity);
        *tensor = give(entry.value);
        *is_parameter = 0;
        return;
      }
  });
}
