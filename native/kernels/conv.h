// Convolutions of images in channels-last order, 1x1 and 3x3, stride 1 or 2, padded so that stride 1 keeps the size.
// Direct kernels for AVX-512: at 16 to 256 channels they keep up with oneDNN's forward pass and are faster for the
// weights' gradient (docs/performance.md), and what follows a convolution is done before its result leaves the
// registers.
#pragma once
#include <cstdint>

#include "element.h"

namespace distillsharp {

struct ConvShape {
  int64_t in_channels, out_channels, height, width;
  int kernel, stride;

  int64_t out_height() const { return (height - 1) / stride + 1; }
  int64_t out_width() const { return (width - 1) / stride + 1; }
  int64_t weights() const { return out_channels * in_channels * kernel * kernel; }
};

// Where a float32 weight [out, in, h, w] lies in memory.
struct ConvWeights {
  float* first;
  int64_t out, in, row, column;
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

// Two ways of a 3x3 convolution: direct, and by Winograd's F(2x2, 3x3), which needs 2.25 times fewer products and
// rounds more of them.
enum class ConvWay { direct, winograd };

struct ConvKernels {
  // Whether the shape can be computed in that way. The height and the width do not matter.
  bool (*takes)(const ConvShape&, ConvWay);
  // How many elements the weights have in the order of the forward kernel, and how they come there; only output
  // channels first to last.
  int64_t (*packed)(const ConvShape&, ConvWay);
  void (*pack)(const ConvShape&, ConvWay, const ConvWeights&, void* packed, int64_t first, int64_t last);
  // Bytes that each thread needs, for one direction or the other.
  int64_t (*scratch)(const ConvShape&, ConvWay);
  // Images that should be computed by one call at least.
  int64_t (*images)(const ConvShape&, ConvWay);
  void (*forward)(const ConvShape&, ConvWay, const ConvForward&, int64_t first_image, int64_t last_image,
                  void* scratch);
  // Adds the weights' gradient of some images to sums, weights() floats in an order of its own.
  void (*gradient)(const ConvShape&, const void* x, const void* gradient, float* sums, int64_t first_image,
                   int64_t last_image, void* scratch);
  // From that order to [out, in, h, w] as `to` lies in memory; only output channels first to last.
  void (*unpack)(const ConvShape&, const float* sums, const ConvWeights& to, int64_t first, int64_t last);
};

// Null where this processor has none.
const ConvKernels* conv_kernels(Element element);

}  // namespace distillsharp
