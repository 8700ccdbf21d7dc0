// Convolutions of images in channels-last order, 1x1 and 3x3, stride 1 or 2, padded so that stride 1 keeps the size.
// Kernels for AVX2 and AVX-512: at 16 to 256 channels they keep up with oneDNN's forward pass and are faster for the
// weights' gradient (docs/performance.md), and what follows a convolution is done before its result leaves the
// registers.
#pragma once
#include <cstdint>

#include "element.h"

namespace distillsharp {

// Each of the groups has channels of its own, and its weights; a pixel holds the channels of all groups.
struct ConvShape {
  int64_t in_channels, out_channels, height, width;  // channels of one group
  int kernel, stride;
  int64_t groups = 1;

  int64_t out_height() const { return (height - 1) / stride + 1; }
  int64_t out_width() const { return (width - 1) / stride + 1; }
  int64_t in_pixel() const { return in_channels * groups; }
  int64_t out_pixel() const { return out_channels * groups; }
};

// Where a float32 weight [groups, out, in, h, w] lies in memory.
struct ConvWeights {
  float* first;
  int64_t group, out, in, row, column;

  float* at(int64_t g, int64_t o, int64_t i, int64_t y, int64_t x) const {
    return first + g * group + o * out + i * in + y * row + x * column;
  }
};

// y = conv(x) + bias (+ residual), with ReLU where it is asked for; all images [H, W, C].
struct ConvForward {
  const void* x;
  const void* packed;
  const float* bias;     // null: none
  const void* residual;  // null: none
  bool relu;
  void* y;
};

// Ahead, from inputs to outputs; or back, the gradient of the inputs where the stride is 2: it comes in as x and goes
// out as y.
enum class ConvWay { ahead, back };

// Channels whose weights are packed and unpacked together.
constexpr int64_t channels_together = 16;

struct ConvKernels {
  // Whether the shape can be computed in that way. The height and the width do not matter.
  bool (*takes)(const ConvShape&, ConvWay);
  // How many elements the weights have in the order of the kernel, and how they come there; only the channels first to
  // last, `first` a multiple of channels_together: output channels of all groups or, on the way back, input channels.
  int64_t (*packed)(const ConvShape&, ConvWay);
  void (*pack)(const ConvShape&, ConvWay, const ConvWeights&, void* packed, int64_t first, int64_t last);
  // Bytes that each thread needs, for one direction or the other.
  int64_t (*scratch)(const ConvShape&, ConvWay);
  // Images that should be computed by one call at least.
  int64_t (*images)(const ConvShape&);
  void (*forward)(const ConvShape&, ConvWay, const ConvForward&, int64_t first_image, int64_t last_image,
                  void* scratch);
  // How many sums the weights' gradient has where a thread has about so many images; adds that of some images to them,
  // in an order of its own.
  int64_t (*sums)(const ConvShape&, int64_t images);
  void (*gradient)(const ConvShape&, int64_t images, const void* x, const void* gradient, float* sums,
                   int64_t first_image, int64_t last_image, void* scratch);
  // From that order to [out, in, h, w] as `to` lies in memory; only the channels first to last, as for packing.
  void (*unpack)(const ConvShape&, int64_t images, const float* sums, const ConvWeights& to, int64_t first,
                 int64_t last);
};

// Null where this processor has none.
const ConvKernels* conv_kernels(Element element);

}  // namespace distillsharp
