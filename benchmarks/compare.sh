#!/usr/bin/env bash
# Training steps, ours, plain PyTorch's and TorchSharp's, alternately in one go: a table of medians and ratios.
# Usage: benchmarks/compare.sh [ROUNDS] [STEPS]. Needs python3-torch beside what eng/setup.sh installs; TorchSharp (the two pairs of
# ResNets) where NuGet has it and it loads: it needs a newer glibc than Debian 12's. Let nothing else run.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
rounds=${1:-3}
steps=${2:-30}
python=${PYTHON:-/usr/bin/python3}
"$root/eng/build-native.sh" >&2
dotnet build "$root/benchmarks/DistillSharp.Benchmarks" -c release -v q -nologo >&2
ours="dotnet $root/artifacts/bin/DistillSharp.Benchmarks/release/DistillSharp.Benchmarks.dll steps"
theirs="$python $root/benchmarks/compare/pytorch_steps.py"
torchsharp=$root/artifacts/bin/DistillSharp.TorchSharpBenchmark/release_linux-x64/DistillSharp.TorchSharpBenchmark
if ! { dotnet build "$root/benchmarks/torchsharp" -c release -v q -nologo && "$torchsharp" resnet20 resnet20 fp32 8 1; } >/dev/null 2>&1; then
  echo "TorchSharp does not restore or load here, and is left out" >&2
  torchsharp=
fi
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
pairs=("resnet56 resnet20" "resnet32x4 resnet8x4" "wrn_40_2 shufflenet_v1" "vgg13 mobilenet_v2_half")
# Without instructions for it, a step of PyTorch's in bf16 takes minutes, and ours is one in float32.
bf16=
if grep -q avx512_bf16 /proc/cpuinfo && [[ -z ${DISTILLSHARP_KERNELS:-} ]]; then
  bf16=1
else
  echo "this processor does not multiply bfloat16, or is not to: float32 alone is compared" >&2
fi
for round in $(seq "$rounds"); do
  for pair in "${pairs[@]}"; do
    echo "round $round of $rounds: $pair" >&2
    echo "$pair|PyTorch, contiguous fp32|$($theirs $pair fp32 64 "$steps" contiguous)" >>"$lines"
    echo "$pair|PyTorch, channels-last fp32|$($theirs $pair fp32 64 "$steps" channels_last)" >>"$lines"
    [[ -z $bf16 ]] || echo "$pair|PyTorch, channels-last bf16|$($theirs $pair bf16 64 "$steps" channels_last)" >>"$lines"
    [[ -z $torchsharp || $pair != resnet* ]] || echo "$pair|TorchSharp, fp32|$("$torchsharp" $pair fp32 64 "$steps")" >>"$lines"
    echo "$pair|DistillSharp, fp32|$($ours $pair fp32 64 "$steps")" >>"$lines"
    [[ -z $bf16 ]] || echo "$pair|DistillSharp, auto|$($ours $pair auto 64 "$steps")" >>"$lines"
  done
done
"$python" "$root/benchmarks/compare/table.py" "$lines" "$rounds" "$steps"
