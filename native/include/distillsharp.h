// The C ABI between DistillSharp.Torch and libtorch.
//
// Every function returns 0, or 1 with a message in ds_last_error() of the same thread; 2 where it failed because
// processes that compute together lost one another. No exception crosses this boundary. A tensor handle is an owned
// reference to a TensorImpl: whoever receives one frees it once with ds_tensor_free. Handles passed as arguments are
// borrowed.
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DS_API __attribute__((visibility("default")))

typedef struct ds_tensor_s* ds_tensor;
typedef struct ds_operator_s* ds_operator;
typedef struct ds_module_s* ds_module;
typedef struct ds_image_s* ds_image;
typedef struct ds_process_group_s* ds_process_group;
typedef struct ds_gradient_reducer_s* ds_gradient_reducer;
typedef struct ds_cuda_graph_s* ds_cuda_graph;

typedef enum ds_kind {
  DS_NONE = 0,
  DS_TENSOR = 1,
  DS_INT = 2,
  DS_DOUBLE = 3,
  DS_BOOL = 4,
  DS_INT_LIST = 5,              // pointer: int64_t[count]
  DS_BOOL_LIST = 7,             // pointer: uint8_t[count]
  DS_TENSOR_LIST = 8,           // pointer: ds_tensor[count]
  DS_OPTIONAL_TENSOR_LIST = 9,  // pointer: ds_tensor[count], null where absent
  DS_STRING = 10,               // pointer: UTF-8, count bytes
  DS_DEVICE = 11,               // integer: type << 32 | index (index -1: the current one)
} ds_kind;

// A tagged value, as argument or as result. 16 bytes.
typedef struct ds_value {
  int32_t kind;
  int32_t count;
  union {
    int64_t integer;
    double real;
    const void* pointer;
    ds_tensor tensor;
  };
} ds_value;

typedef struct ds_tensor_info {
  int32_t dtype;
  int32_t device_type;
  int32_t device_index;
  int32_t dimensions;  // at most 8
  int64_t count;
  int64_t sizes[8];
  int64_t strides[8];
  void* data;
  uint8_t requires_grad;
  uint8_t is_leaf;
} ds_tensor_info;

// ---- errors
DS_API const char* ds_last_error(void);

// ---- operators: any ATen operator, by name, through the boxed dispatcher
DS_API int ds_operator_find(const char* name, const char* overload, ds_operator* found);
DS_API int ds_operator_call(ds_operator op, const ds_value* arguments, int32_t count, ds_value* results,
                            int32_t capacity, int32_t* written);

// ---- tensors
DS_API void ds_tensor_free(ds_tensor tensor);
DS_API int ds_tensor_describe(ds_tensor tensor, ds_tensor_info* info);

// ---- autograd (grad mode is per thread)
DS_API int ds_tensor_set_requires_grad(ds_tensor tensor, uint8_t value);
DS_API int ds_tensor_grad(ds_tensor tensor, ds_tensor* gradient);  // null where there is none
DS_API int ds_tensor_set_grad(ds_tensor tensor, ds_tensor gradient);
DS_API int ds_tensor_set_data(ds_tensor tensor, ds_tensor data);
DS_API int ds_tensors_clear_grad(const ds_tensor* tensors, int32_t count);
DS_API int ds_tensors_grad(const ds_tensor* tensors, int32_t count, ds_tensor* gradients);
DS_API int ds_backward(ds_tensor root, ds_tensor gradient);
DS_API uint8_t ds_grad_mode(void);
DS_API void ds_set_grad_mode(uint8_t enabled);

// ---- autocast on the CPU or a GPU (per thread): regions in which it is on or off. Leaving the outermost region clears
// the cache of cast weights.
DS_API int ds_autocast_enter(int32_t device_type, uint8_t enabled, int32_t dtype, uint8_t* before);
DS_API int ds_autocast_leave(int32_t device_type, uint8_t before);

// ---- TorchScript: networks saved by torch.jit, in evaluation mode
DS_API int ds_module_load(const char* path, ds_module* loaded);
DS_API void ds_module_free(ds_module module);
// One parameter or buffer, the module's own; null past the last one.
DS_API int ds_module_state(ds_module module, int32_t index, char* name, int32_t capacity, ds_tensor* tensor,
                           uint8_t* is_parameter);
DS_API int ds_module_forward(ds_module module, ds_tensor input, ds_tensor* results, int32_t capacity, int32_t* written);

// ---- processes that compute together, by libtorch's c10d. Every process must make the same calls in the same order.
typedef struct ds_rendezvous {
  const char* host;    // where the store listens
  const char* prefix;  // keeps the keys of this group apart in a store that others use too
  int32_t port;
  int32_t rank;
  int32_t size;
  int32_t device_index;  // the GPU; -1: the processor
  uint8_t is_server;     // whether this process keeps the store
  int64_t timeout_milliseconds;
} ds_rendezvous;

// "gloo", "nccl", both with a comma between, or nothing: what this build can join processes by.
DS_API int ds_process_backends(char* buffer, int32_t capacity);
DS_API int ds_process_group_join(const ds_rendezvous* rendezvous, ds_process_group* joined);
DS_API void ds_process_group_leave(ds_process_group group);
DS_API int ds_process_group_sum(ds_process_group group, ds_tensor tensor);  // in place
DS_API int ds_process_group_broadcast(ds_process_group group, ds_tensor tensor, int32_t root);
DS_API int ds_process_group_gather(ds_process_group group, ds_tensor tensor, ds_tensor* gathered);  // [size, ...]
DS_API int ds_process_group_barrier(ds_process_group group);

// Sums gradients over the processes, in buckets, while a backward pass still computes others.
DS_API int ds_gradient_reducer_make(ds_process_group group, const ds_tensor* parameters, const double* scales,
                                    int32_t count, int64_t bucket_bytes, ds_gradient_reducer* made);
DS_API int ds_gradient_reducer_begin(ds_gradient_reducer reducer);      // before the backward pass
DS_API int ds_gradient_reducer_end(ds_gradient_reducer reducer);        // after it: waits, and puts the sums in place
DS_API int32_t ds_gradient_reducer_early(ds_gradient_reducer reducer);  // buckets under way before the pass had ended
DS_API void ds_gradient_reducer_free(ds_gradient_reducer reducer);

// ---- images: JPEG and PNG files in memory, which stays where it is until the image is closed. Pixels are RGB,
// [height, width, 3]; an image is read once.
DS_API int ds_image_open(const uint8_t* bytes, int64_t count, int32_t* height, int32_t* width, ds_image* opened);
DS_API void ds_image_close(ds_image image);
DS_API int ds_image_read(ds_image image, uint8_t* pixels, int64_t capacity);
// An area of a JPEG image that is scaled to eighths / 8 of its size.
DS_API int ds_image_read_part(ds_image image, int32_t eighths, int32_t top, int32_t left, int32_t height, int32_t width,
                              uint8_t* pixels, int64_t capacity);
DS_API int ds_jpeg_encode(const uint8_t* pixels, int32_t height, int32_t width, int32_t quality, uint8_t* bytes,
                          int64_t capacity, int64_t* written);

// ---- runtime
DS_API int ds_runtime_start(void);  // allocator thresholds, libtorch_cuda where there is one
DS_API const char* ds_libtorch_version(void);
DS_API int ds_build_description(char* buffer, int32_t capacity);
DS_API int ds_library_path(char* buffer, int32_t capacity);  // where libtorch_cpu was loaded from
DS_API int32_t ds_threads(void);
DS_API int ds_set_threads(int32_t count);
DS_API int ds_multiply_adds_per_second(double* rate);  // float32, in registers, on all threads
DS_API int ds_manual_seed(uint64_t seed);
DS_API uint8_t ds_leaves_out_onednn(void);  // since it computes wrong convolutions here
DS_API uint8_t ds_has_native_bf16(void);
DS_API int32_t ds_cuda_device_count(void);
DS_API int ds_cuda_synchronize(int32_t index);  // waits for that device; -1: the current one
DS_API int ds_allow_tf32(uint8_t allowed);      // on GPUs, for the whole process

// ---- what a GPU is given to do between begin and end, on one thread, is recorded only; each replay does it
DS_API uint8_t ds_has_cuda_graphs(void);
DS_API int ds_cuda_graph_begin(int32_t index, ds_cuda_graph* begun);
DS_API int ds_cuda_graph_end(ds_cuda_graph graph);  // a graph that could not be recorded is to be freed too
DS_API int ds_cuda_graph_replay(ds_cuda_graph graph);
DS_API void ds_cuda_graph_free(ds_cuda_graph graph);

#ifdef __cplusplus
}
#endif
