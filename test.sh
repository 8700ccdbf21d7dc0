#!/usr/bin/env bash
# Sets up, builds, runs every test. The last line is "N passed, N failed"; the exit code is 0 only when none failed.
set -uo pipefail

root=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
cd "$root" || exit 1
results=$root/artifacts/test-results
passed=0 failed=0 skipped=0

finish() {
  echo "$skipped skipped, $SECONDS s"
  echo "$passed passed, $failed failed"
  ((failed == 0 && passed > 0))
  exit
}

# What must succeed before any test can run counts as one failed test.
require() {
  echo "== $1"
  shift
  "$@" && return
  failed=1
  finish
}

# The lock of ./distill, which builds into the same folders. The compiler's server outlives the build and must not inherit it.
build() {
  mkdir -p artifacts
  exec 9>artifacts/build.lock
  flock 9
  eng/build-native.sh 9>&- && dotnet build DistillSharp.slnx -c Release -v quiet -nologo </dev/null 9>&-
  local code=$?
  exec 9>&-
  return "$code"
}

lint() {
  dotnet format whitespace DistillSharp.slnx --verify-no-changes --no-restore || return 1
  ! command -v clang-format >/dev/null || clang-format --dry-run --Werror native/src/* native/include/* native/kernels/*
}

counter() { grep -o '<Counters [^>]*>' "$1" | grep -oP "(?<= $2=\")[0-9]+" || echo 0; }

require "Set up" eng/setup.sh --tests
require "Build" build
require "The command" ./distill --version

# The numbers once more as a processor without AVX-512 computes them; on such a one they are the same.
numbers='FullyQualifiedName~.Verification.|FullyQualifiedName~.Training.|FullyQualifiedName~.Models.Network'
as_avx2=(env DISTILLSHARP_KERNELS=avx2 ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 OPENBLAS_CORETYPE=HASWELL)

# Many processes at once: threads that wait busily for work would take the cores from the others.
export OMP_WAIT_POLICY=PASSIVE GOMP_SPINCOUNT=0

# run NAME PROJECT [COMMAND...]: one project's tests into $results/NAME, what they print into NAME.log; filter is the environment's.
run() {
  local name=$1 project=$2 started=$SECONDS
  shift 2
  # What a shell starts beside itself does not hear Ctrl-C, nor what nohup starts a hang-up; the processes that tests send them must.
  env --default-signal=INT,QUIT,HUP,TERM "$@" dotnet test "artifacts/bin/$project/release/$project.dll" \
    --results-directory "$results/$name" ${filter:+--filter "$filter"} \
    --logger "console;verbosity=minimal" --logger "trx;LogFileName=results.trx" \
    --blame-hang-timeout 6m --blame-hang-dump-type none </dev/null >"$results/$name.log" 2>&1
  echo $? $((SECONDS - started)) >"$results/$name.exit"
}

rm -rf "$results"
mkdir -p "$results"
names=()
# The format besides: it takes half a minute of one core.
lint >"$results/format.log" 2>&1 &
format=$!
# Side by side: each has tests that wait for processes of their own while a core is idle. What nothing may run beside in one process
# has its own.
for project in tests/*.Tests/*.csproj; do
  name=$(basename "$project" .csproj)
  names+=("$name")
  if [[ $name == DistillSharp.Tests ]]; then
    names+=("$name-alone")
    filter='runs!=alone' run "$name" "$name" &
    filter='runs=alone' run "$name-alone" "$name" &
  else
    run "$name" "$name" &
  fi
done
wait $(jobs -p | grep -vx "$format")
if grep -qw avx512f /proc/cpuinfo && [[ -z ${DISTILLSHARP_KERNELS:-} ]]; then
  names+=(DistillSharp.Torch.Tests-avx2 DistillSharp.Tests-avx2)
  run DistillSharp.Torch.Tests-avx2 DistillSharp.Torch.Tests "${as_avx2[@]}" &
  filter=$numbers run DistillSharp.Tests-avx2 DistillSharp.Tests "${as_avx2[@]}" &
  wait $(jobs -p | grep -vx "$format")
fi

echo "== Format"
if ! wait "$format"; then
  cat "$results/format.log"
  failed=1
  echo "Mend it with: dotnet format whitespace; clang-format -i native/src/* native/include/* native/kernels/*"
fi

for name in "${names[@]}"; do
  echo "== $name"
  cat "$results/$name.log"
  read -r code seconds <"$results/$name.exit"
  report=$results/$name/results.trx
  ran=0 broken=0
  if [[ -f $report ]]; then
    total=$(counter "$report" total) ran=$(counter "$report" executed) broken=$(counter "$report" failed)
    passed=$((passed + $(counter "$report" passed)))
    failed=$((failed + broken))
    skipped=$((skipped + total - ran))
  fi
  # A test host that died or never started leaves no failed test behind, and a project without tests is a mistake.
  if ((ran == 0 || (code != 0 && broken == 0))); then
    echo "$name: $ran tests ran, exit code $code: counted as a failure"
    failed=$((failed + 1))
  fi
  echo "$name took $seconds s"
done
finish
