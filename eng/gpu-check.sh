#!/usr/bin/env bash
# Everything that wants to be seen on a GPU, in some ten minutes, as one page on stdout: the build against a libtorch with CUDA,
# `distill verify --device cuda`, short trainings, every method with and without CUDA graphs, and training steps against PyTorch's.
#   eng/gpu-check.sh [CASES] [STEPS]     CASES: a folder of reference cases (default ../shared/reference); STEPS of each measurement
# PARTS="verify trainings methods steps" names what is done, for a card that is lent for minutes.
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

part() { [[ " ${PARTS:-verify trainings methods steps} " == *" $1 "* ]]; }
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

if part verify; then
  section "Reference numbers in float32 on the GPU"
  [[ -d $cases ]] && try "$DISTILL" verify "$cases" --device cuda | tail -n 60 || echo "skipped: there is no folder $cases"
fi

images() {
  mkdir -p "$folder/$1/cifar-100-binary"
  "$python" - "$folder/$1/cifar-100-binary" "$2" <<'PYTHON'
import os, random, sys
random.seed(1)
for name, count in (("train.bin", int(sys.argv[2])), ("test.bin", 400)):
    with open(os.path.join(sys.argv[1], name), "wb") as file:
        for i in range(count):
            file.write(bytes([i % 20, i % 100]) + random.randbytes(3072))
for name, count in (("fine", 100), ("coarse", 20)):
    with open(os.path.join(sys.argv[1], name + "_label_names.txt"), "w") as file:
        file.writelines(f"{name}{i}\n" for i in range(count))
PYTHON
}
# recipe DATA STUDENT EPOCHS PRECISION LINES...
recipe() {
  printf '%s\n' "data: { set: cifar100, root: $1, batch: 64 }" "student: { network: $2 }" \
    "train: { epochs: $3, loader_threads: 2, evaluate_every: $3, device: cuda, precision: $4, seed: 1 }" "${@:5}"
}
of_teacher() { printf '%s\n' "teacher: { network: $1, weights: runs/$2/student.safetensors }" "methods: [ $3 ]"; }
others="kd fitnet at nst pkt rkd ofd crd dkd dist sp vid srrl simkd reviewkd fsecd"
cd "$folder"
export DISTILL

if part trainings; then
  section "Short trainings: each method twice, without CUDA graphs, and stopped and resumed"
  images small 2000
  recipe small resnet8 16 fp32 >ce.yaml
  for precision in tf32 bf16; do recipe small resnet8 16 $precision >ce-$precision.yaml; done
  "$DISTILL" train ce.yaml --name teacher >/dev/null
  for method in $others; do recipe small resnet8 16 fp32 "$(of_teacher resnet8 teacher "$method")" >"$method.yaml"; done
  # Each run is a process, eight side by side: short runs leave a GPU mostly idle.
  one() {
    local name=$1
    "$DISTILL" train "$name.yaml" --name "$name-1" && "$DISTILL" train "$name.yaml" --name "$name-2" \
      && "$DISTILL" train "$name.yaml" --name "$name-plain" --set train.cuda_graphs=false \
      && { timeout -s INT "${STOP_AFTER:-6}" "$DISTILL" train "$name.yaml" --name "$name-3" || true; } \
      && "$DISTILL" train "$name.yaml" --name "$name-3" --resume
  }
  export -f one
  find . -maxdepth 1 -name '*.yaml' -printf '%f\n' | sed 's/\.yaml$//' | sort \
    | xargs -P 8 -I {} bash -c 'one {} >{}.log 2>&1 || echo "FAILED: {}: $(tail -n 3 {}.log)"'
  same() { cmp -s "runs/$1/student.safetensors" "runs/$2/student.safetensors" && echo "the same bits" || echo "OTHER bits"; }
  echo "| recipe | again | without graphs | stopped and resumed | resumed at | said |"
  echo "|---|---|---|---|---|---|"
  for file in *.yaml; do
    name=${file%.yaml}
    echo "| $name | $(same "$name"-{1,2}) | $(same "$name"-{1,plain}) | $(same "$name"-{1,3}) |" \
      "$(grep -o 'resumed from.*' "$name.log" | sed 's/.*: //' | tail -n 1) | $(grep -m 1 -o 'steps are not recorded.*' "$name.log" || true) |"
  done
  rm -f ./*.yaml
fi

if part methods; then
  section "Images a second in the second epoch of 200 steps, resnet56 to resnet20, batch 64, alone"
  images large 12800
  recipe large resnet56 1 bf16 >ce.yaml
  "$DISTILL" train ce.yaml --name large >/dev/null
  rate() {
    rm -rf runs/rate
    "$DISTILL" train "$1.yaml" --name rate --set train.cuda_graphs="$2" >rate.log 2>&1 \
      && tail -n 1 runs/rate/metrics.jsonl | grep -o '"images_per_second":[0-9]*' | cut -d: -f2 || echo "FAILED: $(tail -n 1 rate.log)"
  }
  echo "| method | precision | operator by operator | recorded |"
  echo "|---|---|---|---|"
  for precision in fp32 bf16; do
    recipe large resnet20 2 $precision >ce.yaml
    echo "| ce | $precision | $(rate ce false) | $(rate ce true) |"
    for method in ${METHODS:-$others}; do
      recipe large resnet20 2 $precision "$(of_teacher resnet56 large "$method")" >"$method.yaml"
      echo "| $method | $precision | $(rate "$method" false) | $(rate "$method" true) |"
    done
  done
fi
cd "$root"

part steps || exit 0
section "Training steps, batch 64, medians of $steps steps"
echo "| pair | implementation | figures |"
echo "|---|---|---|"
for pair in "resnet56 resnet20" "resnet32x4 resnet8x4"; do
  for type in fp32 bf16; do
    for graphs in graphs plain; do
      ((${#ours[@]} == 0)) || echo "| $pair | DistillSharp, $type, $graphs | $(try "${ours[@]}" $pair "$type" 64 "$steps" cuda 100 $graphs) |"
    done
    for layout in contiguous channels_last; do
      echo "| $pair | PyTorch, $layout $type | $(try "$python" "$root/benchmarks/compare/pytorch_steps.py" $pair "$type" 64 "$steps" $layout cuda) |"
    done
  done
done
