#!/usr/bin/env bash
# The loader of photographs, ours and torchvision's ImageFolder with RandomResizedCrop, alternately in one go: a table of images/s.
# Usage: benchmarks/loader.sh FOLDER [ROUNDS] [SECONDS]. FOLDER holds train/CLASS/*.jpg and val/CLASS/*.jpg. Needs python3-torchvision.
# FOLDER is also packed, as `distill data pack` does it, with JPEG files and with pixels, and these files are read too.
# Let nothing else run.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
folder=${1:?the folder that holds train/ and val/}
rounds=${2:-3}
seconds=${3:-10}
python=${PYTHON:-/usr/bin/python3}
"$root/eng/build-native.sh" >&2
dotnet build "$root/benchmarks/DistillSharp.Benchmarks" -c release -v q -nologo >&2
ours="dotnet $root/artifacts/bin/DistillSharp.Benchmarks/release/DistillSharp.Benchmarks.dll loader"
theirs="$python $root/benchmarks/loader/torchvision_loader.py $folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
lines=$work/lines
"$root/distill" data pack "$folder" --out "$work/jpeg.pack" >&2
"$root/distill" data pack "$folder" --out "$work/raw.pack" --raw >&2
for round in $(seq "$rounds"); do
  echo "round $round of $rounds" >&2
  echo "torchvision, in the process|$($theirs 0 "$seconds")" >>"$lines"
  echo "torchvision, 2 workers|$($theirs 2 "$seconds")" >>"$lines"
  echo "DistillSharp, 1 thread, exact|$($ours "$folder" 1 exact "$seconds")" >>"$lines"
  echo "DistillSharp, 1 thread, scaled|$($ours "$folder" 1 scaled "$seconds")" >>"$lines"
  echo "DistillSharp, 2 threads, scaled|$($ours "$folder" 2 scaled "$seconds")" >>"$lines"
  echo "DistillSharp, 1 thread, packed|$($ours "$work/jpeg.pack" 1 exact "$seconds")" >>"$lines"
  echo "DistillSharp, 1 thread, packed as pixels|$($ours "$work/raw.pack" 1 exact "$seconds")" >>"$lines"
done
"$python" "$root/benchmarks/rates.py" "$lines" \
  "$(basename "$folder"); batches of 32 at 224x224; median over $rounds rounds of $seconds s" loader "torchvision in the process"
