#!/usr/bin/env bash
# From a fresh clone to a distilled student on real images: sets up what is missing, builds, and runs `distill quickstart`.
# Arguments go to that command ('./quickstart.sh --help' lists them).
set -euo pipefail

root=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)

echo "== Set up (eng/setup.sh)" >&2
"$root/eng/setup.sh"
prepared=$SECONDS
echo "== Build and run" >&2
"$root/distill" quickstart "$@"
echo "Done in $((SECONDS - prepared)) s, after $prepared s of set-up" >&2
