#pragma once

namespace distillsharp {

// What lies in memory: float32, or the upper half of one.
enum class Element { float32, bfloat16 };

}  // namespace distillsharp
