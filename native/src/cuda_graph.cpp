// What a GPU was given to do, recorded once and started again by one call: libtorch's CUDAGraph, where the build has
// CUDA's header.
#include "boundary.h"
#include "libtorch_version.h"

using distillsharp::guarded;

#ifdef DISTILLSHARP_CUDA_GRAPHS

#include <ATen/cuda/CUDAGraph.h>
#include <torch/cuda.h>

#include <memory>

struct ds_cuda_graph_s {
  c10::cuda::CUDAStream before, aside;  // the caller's stream, and the one that is recorded
  at::cuda::CUDAGraph graph;
};

uint8_t ds_has_cuda_graphs(void) { return 1; }

int ds_cuda_graph_begin(int32_t index, ds_cuda_graph* begun) {
  return guarded([&] {
    const auto device = static_cast<c10::DeviceIndex>(index);
    torch::cuda::synchronize(index);
    std::unique_ptr<ds_cuda_graph_s> recording(
        new ds_cuda_graph_s{c10::cuda::getCurrentCUDAStream(device), c10::cuda::getStreamFromPool(false, device), {}});
    c10::cuda::setCurrentCUDAStream(recording->aside);
    try {
#if DS_LIBTORCH_AT_LEAST(2, 1)
      // Threads that prepare batches may do meanwhile as they like.
      recording->graph.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
#else
      recording->graph.capture_begin();
#endif
    } catch (...) {
      c10::cuda::setCurrentCUDAStream(recording->before);
      throw;
    }
    *begun = recording.release();
  });
}

int ds_cuda_graph_end(ds_cuda_graph graph) {
  return guarded([&] {
    try {
      graph->graph.capture_end();
    } catch (...) {
      c10::cuda::setCurrentCUDAStream(graph->before);
      throw;
    }
    c10::cuda::setCurrentCUDAStream(graph->before);
  });
}

int ds_cuda_graph_replay(ds_cuda_graph graph) {
  return guarded([&] { graph->graph.replay(); });
}

void ds_cuda_graph_free(ds_cuda_graph graph) {
  (void)guarded([&] { delete graph; });
}

#else

namespace {

int unsupported() {
  return guarded([] { TORCH_CHECK(false, "this build cannot record what a GPU does"); });
}

}  // namespace

uint8_t ds_has_cuda_graphs(void) { return 0; }
int ds_cuda_graph_begin(int32_t, ds_cuda_graph*) { return unsupported(); }
int ds_cuda_graph_end(ds_cuda_graph) { return unsupported(); }
int ds_cuda_graph_replay(ds_cuda_graph) { return unsupported(); }
void ds_cuda_graph_free(ds_cuda_graph) {}

#endif
