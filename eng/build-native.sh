#!/usr/bin/env bash
# Builds native/ into artifacts/native/libdistillsharp_native.so. Does nothing when the library is newer than its sources
# and the libtorch it was built against is still the one that would be found.
#   --force  configures and builds from nothing
set -euo pipefail

root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
output="$root/artifacts/native"
library="$output/libdistillsharp_native.so"
stamp="$output/libtorch.stamp"
build="$output/build"

force=
for argument in "$@"; do
  case $argument in
    --force) force=1 ;;
    *) echo "eng/build-native.sh: unknown option '$argument'; the only one is --force" >&2; exit 2 ;;
  esac
done

# CMake works in native/; a relative path is meant from where the user stands.
for name in LIBTORCH Torch_DIR; do
  [[ -z ${!name:-} ]] || export "$name=$(realpath -ms -- "${!name}")"
done

# What decides which libtorch is found, and that libtorch's own identity. Headers keep the dates of their package, so a
# replaced libtorch looks older than the objects built against the last one; its identity tells.
identity() {
  local directory=$1
  echo "LIBTORCH=${LIBTORCH:-} Torch_DIR=${Torch_DIR:-}"
  if [[ $directory == */torch/lib ]]; then command -v python3 || true; fi
  stat -Lc '%n %s %Y' /usr/lib/*/libtorch_cpu.so "$directory"/libtorch_{cpu,cuda}.so "$directory"/libc10.so 2>/dev/null || true
}

fresh() {
  [[ -z $force && -f $library && -f $stamp ]] || return 1
  [[ $(identity "$(head -n 1 "$stamp")") == "$(tail -n +2 "$stamp")" ]] || return 1
  [[ -z $(find "$root/native" -newer "$library" -print -quit) ]]
}

fresh && exit 0
for tool in cmake make g++; do
  if ! command -v "$tool" >/dev/null; then
    echo "eng/build-native.sh: there is no $tool; run eng/setup.sh, which installs what the build needs" >&2
    exit 1
  fi
done
mkdir -p "$output"
exec 9>"$output/lock"
flock 9
fresh && exit 0

if [[ -n $force || ! -f $stamp || $(identity "$(head -n 1 "$stamp")") != "$(tail -n +2 "$stamp")" ]]; then
  rm -rf "$build"
fi
log="$output/build.log"
echo "Building the native library (log: artifacts/native/build.log)" >&2
touch "$output/started"
if ! { cmake -S "$root/native" -B "$build" -DCMAKE_BUILD_TYPE=Release && cmake --build "$build" --parallel "$(nproc)"; } >"$log" 2>&1; then
  # Where no libtorch was found, CMake's page about it is one sentence and what was tried.
  reason=$(sed -n '/^CMake Error at .*FindLibtorch/,/^Call Stack/{//!p}' "$log" | sed 's/^ *//' | grep . | paste -sd ' ' || true)
  if [[ $reason ]]; then
    echo "eng/build-native.sh: $reason" >&2
    exit 1
  fi
  cat "$log" >&2
  echo "eng/build-native.sh: the native library could not be built; the reason stands above" >&2
  exit 1
fi
grep -E '^-- (libtorch|tried before)|^  - |warning:' "$log" >&2 || true

# Dated at the start of the build, so that a source saved meanwhile counts as newer.
# Renamed into place: a process that has the old library loaded keeps it, and no process ever sees half of the new one.
cp "$build/libdistillsharp_native.so" "$library.new"
touch -r "$output/started" "$library.new"
mv "$library.new" "$library"
directory=$(<"$build/libtorch.txt")
{ echo "$directory"; identity "$directory"; } >"$stamp.new"
mv "$stamp.new" "$stamp"
echo "Native library built in $(($(date +%s) - $(stat -c %Y "$output/started"))) s" >&2
