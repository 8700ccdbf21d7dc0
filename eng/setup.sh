#!/usr/bin/env bash
# Installs what building and running DistillSharp needs on Debian, and says what and why. Does nothing when all is there.
#   --tests  also what the tests compare with (Python's torch, torchvision, onnx, scikit-learn) and drive (a browser)
# LIBTORCH or Torch_DIR set: that libtorch is used, so Debian's is not installed.
# DISTILLSHARP_SKIP_SETUP=1: nothing is looked at; for systems without apt-get, once the same is installed by other means.
set -euo pipefail

complain() { echo "eng/setup.sh: $*" >&2; }

tests=
for argument in "$@"; do
  case $argument in
    --tests) tests=1 ;;
    -h | --help) sed -n '2,5s/^# \?//p' "$0"; exit 0 ;;
    *) complain "unknown option '$argument'; the only one is --tests"; exit 2 ;;
  esac
done
[[ ${DISTILLSHARP_SKIP_SETUP:-} == 1 ]] && exit 0

# package, and what it is for
needed=(
  "g++                    compiles the native library"
  "cmake                  configures the native library"
  "make                   builds the native library"
  "pkg-config             finds system libraries"
  "libjpeg62-turbo-dev    reads JPEG images"
  "libpng-dev             reads and writes PNG images"
  "libgloo-dev            joins processes that train together"
  "dataset-fashion-mnist  the 70,000 images of the quickstart"
  "librsvg2-bin           turns charts from SVG into PNG"
  "fontconfig             finds the fonts of those charts"
  "fonts-dejavu-core      the font of those charts"
  "xz-utils               unpacks .tar.xz data"
)
if [[ -z ${LIBTORCH:-} && -z ${Torch_DIR:-} ]]; then
  needed+=(
    "libtorch-dev           tensors, automatic differentiation, kernels"
    "libopenblas0-openmp    fast matrix products: Debian's libtorch alone brings the reference BLAS, some 60 times slower"
  )
fi
if [[ $tests ]]; then
  needed+=(
    "python3-torch          tests: the reference for speed and file formats"
    "python3-torchvision    tests: the reference for networks"
    "python3-onnx           tests: checks exported models"
    "python3-numpy          tests: reads exported arrays"
    "python3-pil            tests: the reference for images"
    "python3-sklearn        tests: the reference for t-SNE"
    "chromium               tests: opens the report's page"
    "strace                 tests: sees that files reach the disk before they get their names"
  )
fi

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  complain "there is no apt-get here, so nothing was installed. Needed, by Debian's names:"
  printf '  %s\n' "${needed[@]}" "dotnet-sdk-10.0        the .NET SDK 10" >&2
  complain "install the same by your system's means, set DISTILLSHARP_SKIP_SETUP=1 and run the command again"
  exit 1
fi

if ! sdks=$(dotnet --list-sdks 2>/dev/null) || ! grep -q '^10\.' <<<"$sdks"; then
  complain "the .NET SDK 10 is missing (found: $(sed 's, .*,,' <<<"${sdks:-none}" | paste -sd ' ')); install it from https://dot.net/download and run the command again"
  exit 1
fi

as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    complain "this needs root, and there is no sudo; run as root: $*"
    exit 1
  fi
}

installed=$'\n'$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "${needed[@]%% *}" 2>/dev/null || true)$'\n'
missing=()
for line in "${needed[@]}"; do
  if [[ $installed != *$'\n'"${line%% *} installed"$'\n'* ]]; then
    missing+=("${line%% *}")
    ((${#missing[@]} > 1)) || echo "Installing with apt-get:" >&2
    echo "  $line" >&2
  fi
done
if ((${#missing[@]})); then
  apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
  # A source of the user's that does not answer need not be one of ours: installing decides.
  as_root "${apt[@]}" update >&2 || complain "apt-get update reported problems; going on with the package lists at hand"
  if ! as_root "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >&2; then
    complain "apt-get could not install: ${missing[*]}. Its own words stand above"
    exit 1
  fi
fi

# libtorch takes whichever BLAS the alternatives name; a reference BLAS chosen before stays chosen.
if [[ $installed$'\n'"${missing[*]}" == *libopenblas0-openmp* ]]; then
  triplet=$(uname -m)-linux-gnu
  for library in libblas.so.3 liblapack.so.3; do
    wanted=/usr/lib/$triplet/openblas-openmp/$library
    current=$(readlink "/etc/alternatives/$library-$triplet" || true)
    if [[ $current != "$wanted" && $current != *mkl* && -e $wanted ]]; then
      echo "Pointing $library to OpenBLAS (it was ${current:-unset})" >&2
      as_root update-alternatives --set "$library-$triplet" "$wanted" >&2
    fi
  done
fi
