#!/usr/bin/env bash
# The loader of photographs, ours and torchvision's ImageFolder with RandomResizedCrop, alternately in one go: a table of images/s.
# Usage: benchmarks/loader.sh FOLDER [ROUNDS] [SECONDS]. FOLDER holds train/CLASS/*.jpg and val/CLASS/*.jpg. Needs python3-torchvision.
# Let nothing else run.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
folder=${1:?the folder that holds train/ and val/}
rounds=${2:-3}
seconds=${3:-10}
python=${PYTHON:-/usr/bin/python3}
"$root/eng/build-native.sh" >&2
dotnet build "$root/benchmarks/DistillSharp.Benchmarks" -c release -v q -nologo >&2
ours="dotnet $root/artifacts/bin/DistillSharp.Benchmarks/release/DistillSharp.Benchmarks.dll loader $folder"
theirs="$python $root/benchmarks/loader/torchvision_loader.py $folder"
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
for round in $(seq "$rounds"); do
  echo "round $round of $rounds" >&2
  echo "torchvision, in the process|$($theirs 0 "$seconds")" >>"$lines"
  echo "torchvision, 2 workers|$($theirs 2 "$seconds")" >>"$lines"
  echo "DistillSharp, 1 thread, exact|$($ours 1 exact "$seconds")" >>"$lines"
  echo "DistillSharp, 1 thread, scaled|$($ours 1 scaled "$seconds")" >>"$lines"
  echo "DistillSharp, 2 threads, scaled|$($ours 2 scaled "$seconds")" >>"$lines"
done
"$python" "$root/benchmarks/loader/table.py" "$lines" "$rounds" "$seconds" "$folder"
