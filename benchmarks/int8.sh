#!/usr/bin/env bash
# A run's student in float32 and in int8 in ONNX Runtime, side by side, with its teacher where there is one as ONNX: size, latency, images/s,
# accuracy on the test images.
# Usage: benchmarks/int8.sh RUN SET ROOT [TEACHER.onnx]. SET and ROOT are the data set's name and folder, as in the run's recipe.
# Let nothing else run.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
run=${1:?the folder of a finished run}
set=${2:?the name of its data set}
data=${3:?the folder that holds the data set}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$root/distill" export "$run" --onnx "$folder/student.onnx" --dynamic-batch >&2
"$root/distill" export "$run" --onnx "$folder/student-int8.onnx" --dynamic-batch --int8 >&2
echo "load $(cut -d' ' -f1-3 /proc/loadavg)"
"$root/distill" bench ${4:+"$4"} "$folder/student.onnx" "$folder/student-int8.onnx" --threads 1,2 --batch 1,8 --seconds 10 \
  --data "$set" --root "$data"
