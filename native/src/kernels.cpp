// Which of the compiled kernels this processor runs.
#include <cstdlib>
#include <string>

#include "../kernels/conv.h"
#include "../kernels/norm.h"
#include "../kernels/peak.h"

#define DISTILLSHARP_KERNELS(set)           \
  namespace distillsharp::set {             \
  extern const NormKernels norm_kernels;    \
  const ConvKernels* conv_kernels(Element); \
  int64_t multiply_adds(int64_t rounds);    \
  }

DISTILLSHARP_KERNELS(baseline)
#if defined(__x86_64__)
DISTILLSHARP_KERNELS(avx2)
DISTILLSHARP_KERNELS(avx512)
DISTILLSHARP_KERNELS(avx512_bf16)
#endif

namespace distillsharp {
namespace {

enum class Set { baseline, avx2, avx512, avx512_bf16 };

// DISTILLSHARP_KERNELS=baseline, avx2 or avx512 leaves out what is faster: for comparisons, and to test what this
// processor would not choose.
bool allowed(Set set) {
  const char* most = std::getenv("DISTILLSHARP_KERNELS");
  if (most == nullptr) return true;
  const std::string name = most;
  return name == "baseline" ? set <= Set::baseline
         : name == "avx2"   ? set <= Set::avx2
                            : name != "avx512" || set <= Set::avx512;
}

Set find() {
#if defined(__x86_64__)
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512cd");
  if (avx512 && allowed(Set::avx512))
    return __builtin_cpu_supports("avx512bf16") && allowed(Set::avx512_bf16) ? Set::avx512_bf16 : Set::avx512;
  if (allowed(Set::avx2) && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
      __builtin_cpu_supports("bmi2"))
    return Set::avx2;
#endif
  return Set::baseline;
}

const Set chosen = find();

}  // namespace

const NormKernels& norm_kernels() {
  switch (chosen) {
#if defined(__x86_64__)
    case Set::avx512_bf16:
      return avx512_bf16::norm_kernels;
    case Set::avx512:
      return avx512::norm_kernels;
    case Set::avx2:
      return avx2::norm_kernels;
#endif
    default:
      return baseline::norm_kernels;
  }
}

int64_t multiply_adds(int64_t rounds) {
  switch (chosen) {
#if defined(__x86_64__)
    case Set::avx512_bf16:
    case Set::avx512:
      return avx512::multiply_adds(rounds);
    case Set::avx2:
      return avx2::multiply_adds(rounds);
#endif
    default:
      return baseline::multiply_adds(rounds);
  }
}

const ConvKernels* conv_kernels(Element element) {
  switch (chosen) {
#if defined(__x86_64__)
    case Set::avx512_bf16:
      return avx512_bf16::conv_kernels(element);
    case Set::avx512:
      return avx512::conv_kernels(element);
    case Set::avx2:
      return avx2::conv_kernels(element);
#endif
    default:
      return nullptr;
  }
}

}  // namespace distillsharp
