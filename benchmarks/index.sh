#!/usr/bin/env bash
# The index of ImageNet's number of photographs: seconds and peak memory to open a set of 1.28 million shard entries, without and with
# the index that is kept from one time to the next, and to prepare the order of an epoch.
# Usage: benchmarks/index.sh [SHARDS] [FOLDER]: shards of 1,000 entries each (1,281), made in FOLDER (the system's temporary one) and
# deleted afterwards. Every shard is a link to one file of tiny images, so that disks are left out of it.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
shards=${1:-1281}
set=$(mktemp -d -p "${2:-${TMPDIR:-/tmp}}" distillsharp-index-XXXXXX)
trap 'rm -rf "$set"' EXIT
"$root/eng/build-native.sh" >&2
dotnet build "$root/benchmarks/DistillSharp.Benchmarks" -c release -v q -nologo >&2
"${PYTHON:-/usr/bin/python3}" - "$set" "$shards" <<'PYTHON'
import base64
import io
import os
import sys
import tarfile

folder, shards = sys.argv[1], int(sys.argv[2])
image = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAQAAAACCAIAAADwyuo0AAAAEElEQVR4nGP4z8AARwzIHABvqgf5gNwAKAAAAABJRU5ErkJggg==")


def write(path, images):
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for number in range(images):
            for extension, content in (("png", image), ("cls", str(number % 1000).encode())):
                entry = tarfile.TarInfo(f"n01440764_{number:06}.{extension}")
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))


write(os.path.join(folder, "one"), 1000)
for shard in range(shards):
    os.link(os.path.join(folder, "one"), os.path.join(folder, f"train-{shard:06}.tar"))
write(os.path.join(folder, "val-000000.tar"), 100)
os.remove(os.path.join(folder, "one"))
PYTHON
for what in "without a kept index" "with the kept index"; do
  echo "$what: $(dotnet "$root/artifacts/bin/DistillSharp.Benchmarks/release/DistillSharp.Benchmarks.dll" index "$set")"
done
echo "mean load over the last five minutes: $(cut -d ' ' -f 2 /proc/loadavg), $(nproc) cores"
