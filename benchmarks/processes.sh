#!/usr/bin/env bash
# Training images/s of two processes with half of the cores each against one process with all, at the same global batch (resnet56 ->
# resnet20 by FSECD, batch 128), alternately in one go: a table of medians and their ratio.
# Usage: benchmarks/processes.sh random|CIFAR [ROUNDS] [STEPS] [PROCESSES]. CIFAR is the folder of CIFAR-100; random makes images of noise.
# Each run trains two epochs of STEPS steps, and the second counts. Let nothing else run.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
data=${1:?random, or the folder of CIFAR-100}
rounds=${2:-3}
steps=${3:-50}
processes=${4:-2}
python=${PYTHON:-/usr/bin/python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
batch=128 set=cifar100
if [[ $data == random ]]; then
  set=fashion-mnist data=$work/data
  "$python" - "$data" $((batch * steps)) <<'PYTHON'
import os
import struct
import sys

folder, count = sys.argv[1], int(sys.argv[2])
os.makedirs(folder)
for name, images in (("train", count), ("t10k", 128)):
    with open(f"{folder}/{name}-images-idx3-ubyte", "wb") as file:
        file.write(struct.pack(">4i", 0x803, images, 28, 28) + os.urandom(images * 28 * 28))
    with open(f"{folder}/{name}-labels-idx1-ubyte", "wb") as file:
        file.write(struct.pack(">2i", 0x801, images) + bytes(i % 10 for i in range(images)))
PYTHON
else
  data=$(realpath "$data")
fi
cat >"$work/teacher.yaml" <<YAML
data: { set: $set, root: '$data', batch: $batch, train_limit: $batch, test_limit: 100 }
student: { network: resnet56 }
train: { epochs: 1, lr: 0.01, schedule: constant }
YAML
cat >"$work/recipe.yaml" <<YAML
data: { set: $set, root: '$data', batch: $batch, train_limit: $((batch * steps)), test_limit: 100, augment: [crop, flip] }
teacher: { network: resnet56, weights: '$work/runs/teacher/student.safetensors' }
student: { network: resnet20 }
methods: [ fsecd ]
train: { epochs: 2, lr: 0.01, schedule: constant, evaluate_every: 2, teacher_memory: off }
YAML
cd "$work"
quietly() { "$root/distill" "$@" --runs "$work/runs" >"$work/output" 2>&1 || { cat "$work/output" >&2; exit 1; }; }
speed() { "$python" -c 'import json, sys; print([json.loads(line) for line in open(sys.argv[1])][-1]["images_per_second"])' "runs/$1/metrics.jsonl"; }
quietly train teacher.yaml --name teacher
for round in $(seq "$rounds"); do
  echo "round $round of $rounds" >&2
  quietly train recipe.yaml --name "one-$round"
  echo "1 process, $(nproc) threads|$(speed "one-$round")" >>lines
  "$root/distill" launch --processes "$processes" -- train recipe.yaml --name "joint-$round" --runs "$work/runs" >output 2>&1 \
    || { cat output >&2; exit 1; }
  echo "$processes processes, $(($(nproc) / processes)) threads each|$(speed "joint-$round")" >>lines
done
"$python" "$root/benchmarks/rates.py" lines \
  "resnet56 -> resnet20 by FSECD, batch $batch; median over $rounds rounds of $steps steps" processes one
