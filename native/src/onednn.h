#pragma once

namespace distillsharp {

// libtorch's convolutions go by oneDNN, which is wrong on some processors: Debian 13's (3.7.2) on AMD's Zen 5 lays out
// channels that fill no register wrongly. Where a few convolutions differ from those without it, libtorch is told to do
// without from then on.
void leave_out_onednn_where_wrong();

bool onednn_left_out();

}  // namespace distillsharp
