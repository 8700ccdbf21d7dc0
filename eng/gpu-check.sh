#!/usr/bin/env bash
# Everything that wants to be seen on a GPU, in some ten minutes, as one page on stdout: the build against a libtorch with CUDA,
# `distill verify --device cuda`, a short training, and training steps against PyTorch's.
#   eng/gpu-check.sh [CASES] [STEPS]     CASES: a folder of reference cases (default ../shared/reference); STEPS of each measurement
# LIBTORCH or the torch of the python3 on the path is what is built against. On a machine without the .NET SDK, publish there where
# it is and name the two programs: DISTILL=.../distill BENCHMARKS=.../DistillSharp.Benchmarks (dotnet publish -r linux-x64
# --self-contained); native/ is built here and laid beside them.
set -euo pipefail

root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
cases=${1:-$root/../shared/reference}
steps=${2:-30}
python=${PYTHON:-python3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

section() { printf '\n## %s\n\n' "$1"; }
# A part that fails is a line of the page, not its end.
try() { "$@" 2>&1 || echo "FAILED ($?): $*"; }

export DISTILLSHARP_SKIP_SETUP=1
"$root/eng/build-native.sh" >&2
if [[ -n ${DISTILL:-} ]]; then
  for program in "$DISTILL" ${BENCHMARKS:+"$BENCHMARKS"}; do cp "$root/artifacts/native/libdistillsharp_native.so" "$(dirname "$program")/"; done
  ours=(${BENCHMARKS:+"$BENCHMARKS" steps})
else
  DISTILL=$root/distill
  dotnet build "$root/benchmarks/DistillSharp.Benchmarks" -c release -v q -nologo >&2
  ours=(dotnet "$root/artifacts/bin/DistillSharp.Benchmarks/release/DistillSharp.Benchmarks.dll" steps)
fi

echo "# A GPU, $(date -u +%F)"
section "Machine"
try nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
try "$python" -c 'import torch; print("PyTorch", torch.__version__, "CUDA", torch.version.cuda, "cuDNN", torch.backends.cudnn.version())'
try "$DISTILL" doctor

section "Reference numbers in float32 on the GPU"
[[ -d $cases ]] && try "$DISTILL" verify "$cases" --device cuda | tail -n 60 || echo "skipped: there is no folder $cases"

section "Short trainings: each method twice, and once stopped and resumed"
mkdir -p "$folder/data/cifar-100-binary"
"$python" - "$folder/data/cifar-100-binary" <<'PYTHON'
import os, random, sys
random.seed(1)
for name, count in (("train.bin", 2000), ("test.bin", 400)):
    with open(os.path.join(sys.argv[1], name), "wb") as file:
        for i in range(count):
            file.write(bytes([i % 20, i % 100]) + random.randbytes(3072))
for name, count in (("fine", 100), ("coarse", 20)):
    with open(os.path.join(sys.argv[1], name + "_label_names.txt"), "w") as file:
        file.writelines(f"{name}{i}\n" for i in range(count))
PYTHON
recipe() {
  printf '%s\n' 'data: { set: cifar100, root: data, batch: 64 }' 'student: { network: resnet8 }' \
    "train: { epochs: 30, loader_threads: 2, evaluate_every: 30, device: cuda, precision: $1, seed: 1 }" "${@:2}"
}
cd "$folder"
recipe fp32 >ce.yaml
for precision in tf32 bf16; do recipe $precision >ce-$precision.yaml; done
"$DISTILL" train ce.yaml --name teacher >/dev/null
for method in kd fitnet at nst pkt rkd ofd crd dkd fsecd; do
  recipe fp32 'teacher: { network: resnet8, weights: runs/teacher/student.safetensors }' "methods: [ $method ]" >$method.yaml
done
# Each run is a process, seven side by side: short runs leave a GPU mostly idle.
one() {
  local name=$1
  "$DISTILL" train "$name.yaml" --name "$name-1" && "$DISTILL" train "$name.yaml" --name "$name-2" \
    && { timeout -s INT "${STOP_AFTER:-8}" "$DISTILL" train "$name.yaml" --name "$name-3" || true; } \
    && "$DISTILL" train "$name.yaml" --name "$name-3" --resume
}
export -f one; export DISTILL
find . -maxdepth 1 -name '*.yaml' -printf '%f\n' | sed 's/\.yaml$//' | sort \
  | xargs -P 7 -I {} bash -c 'one {} >{}.log 2>&1 || echo "FAILED: {}: $(tail -n 3 {}.log)"'
same() { cmp -s "runs/$1/student.safetensors" "runs/$2/student.safetensors" && echo "the same bits" || echo "OTHER bits"; }
echo "| recipe | again | stopped and resumed | resumed at |"
echo "|---|---|---|---|"
for file in *.yaml; do
  name=${file%.yaml}
  echo "| $name | $(same "$name"-{1,2}) | $(same "$name"-{1,3}) | $(grep -o 'resumed from.*' "$name.log" | sed 's/.*: //' | tail -n 1) |"
done
cd "$root"

section "Training steps, batch 64, medians of $steps steps"
echo "| pair | implementation | figures |"
echo "|---|---|---|"
for pair in "resnet56 resnet20" "resnet32x4 resnet8x4"; do
  for type in fp32 bf16; do
    ((${#ours[@]} == 0)) || echo "| $pair | DistillSharp, $type | $(try "${ours[@]}" $pair "$type" 64 "$steps" cuda) |"
    for layout in contiguous channels_last; do
      echo "| $pair | PyTorch, $layout $type | $(try "$python" "$root/benchmarks/compare/pytorch_steps.py" $pair "$type" 64 "$steps" $layout cuda) |"
    done
  done
done
