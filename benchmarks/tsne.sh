#!/usr/bin/env bash
# t-SNE here beside scikit-learn's (Barnes-Hut, default settings) on the same features and as many threads.
# Prints both times, both trustworthiness values (k = 5) and both divergences that remained.
#   --points N                   how many points (5000)
#   --threads N                  threads for each (all cores)
#   --weights FILE --data DIR    pooled features of a CIFAR-100 resnet56 instead of made-up clusters
#   --python PROGRAM             a Python with scikit-learn (/usr/bin/python3, where Debian's python3-sklearn is)
set -euo pipefail

root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
points=5000 threads=$(nproc) python=/usr/bin/python3 weights= data=
while [[ $# -gt 0 ]]; do
  case $1 in
    --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    --points|--threads|--weights|--data|--python)
      [[ $# -gt 1 ]] || { echo "benchmarks/tsne.sh: $1 needs a value" >&2; exit 2; }
      declare "${1#--}=$2"; shift 2 ;;
    *) echo "benchmarks/tsne.sh: unknown option '$1'; see --help" >&2; exit 2 ;;
  esac
done
if ! "$python" -c 'import sklearn' 2>/dev/null; then
  echo "benchmarks/tsne.sh: $python has no scikit-learn; install it (Debian: apt-get install python3-sklearn) or name a Python with --python" >&2
  exit 1
fi

"$root/eng/build-native.sh"
dotnet build "$root/benchmarks/tsne" -c Release -v quiet -nologo -clp:NoSummary >&2
program=$root/artifacts/bin/DistillSharp.TsneBenchmark/release/DistillSharp.TsneBenchmark
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

export OMP_NUM_THREADS=$threads OPENBLAS_NUM_THREADS=$threads
"$program" features "$folder" "$points" ${weights:+"$weights" "$data"}
read -r our_time our_trust our_divergence < <("$program" embed "$folder" "$threads")
{ read -r their_time their_trust their_divergence; read -r checked; read -r versions; } < <("$python" "$root/benchmarks/tsne/scikit_learn.py" "$folder")

echo "$points points of 64 dimensions, ${weights:+from $(basename "$weights"), }$threads threads; $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2- | xargs), $versions"
printf '%-14s %9s %16s %11s\n' "" seconds trustworthiness divergence
printf '%-14s %9s %16s %11s\n' DistillSharp "$our_time" "$our_trust" "$our_divergence"
printf '%-14s %9s %16s %11s\n' scikit-learn "$their_time" "$their_trust" "$their_divergence"
echo "trustworthiness of DistillSharp's map by scikit-learn's function: $checked"
