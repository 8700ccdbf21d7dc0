#!/usr/bin/env bash
# Runs ./test.sh on another Debian than this machine's: in a chroot under artifacts/, made by debootstrap and set up by the
# project's own eng/setup.sh. Root only.
#   eng/test-on.sh bookworm | trixie              all tests
#   eng/test-on.sh trixie COMMAND ARGUMENT...     a command in the project's folder there, after set-up for tests
#   --new as the first argument makes the chroot anew
# The working tree as it is (what git does not ignore) is copied in; ../shared, where there is one, can be read there. The .NET SDK
# is this machine's, and so are the certificates. DEBIAN_MIRROR names another mirror than debootstrap's.
set -euo pipefail

complain() { echo "eng/test-on.sh: $*" >&2; exit "${code:-1}"; }

root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
new=
if [[ ${1:-} == --new ]]; then new=1; shift; fi
suite=${1:-}
case $suite in
  # The library that .NET takes its time zones and cultures from, by the name that each release has for it.
  bookworm) icu=libicu72 ;;
  trixie) icu=libicu76 ;;
  -h | --help) sed -n '2,8s/^# \?//p' "$0"; exit 0 ;;
  *) code=2 complain "'$suite' is no Debian that this knows; give bookworm or trixie" ;;
esac
shift
((EUID == 0)) || complain "this needs root, for debootstrap, mounts and chroot; run it by sudo"
sdk=$(dirname "$(readlink -f "$(command -v dotnet || complain "the .NET SDK 10 is missing; install it from https://dot.net/download")")")
if ! command -v debootstrap >/dev/null; then
  apt=(apt-get -qq -o DPkg::Lock::Timeout=300)
  "${apt[@]}" update >&2 || true
  "${apt[@]}" install -y --no-install-recommends debootstrap >&2 || complain "debootstrap is missing and could not be installed"
fi

folder=$root/artifacts/debian/$suite
[[ -z $new ]] || rm -rf "$folder"
if [[ ! -f $folder/complete ]]; then
  rm -rf "$folder"
  mkdir -p "$folder"
  echo "Making Debian $suite in artifacts/debian/$suite" >&2
  debootstrap --variant=minbase --include="ca-certificates,git,$icu" "$suite" "$folder" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} \
    >"$folder.log" 2>&1 || { tail -n 5 "$folder.log" >&2; complain "debootstrap failed; its log is artifacts/debian/$suite.log"; }
  touch "$folder/complete"
fi

project=$folder/build/distillsharp
mkdir -p "$project" "$folder/build/shared" "$folder$sdk"
# Files that are gone here go there as well; what was built there stays.
find "$project" -mindepth 1 -maxdepth 1 ! -name artifacts -exec rm -rf {} +
git -C "$root" ls-files -z --cached --others --exclude-standard |
  (cd "$root" && tar -c --null --ignore-failed-read -T - 2>/dev/null) | tar -x -C "$project"
[[ ! -f /etc/ssl/certs/ca-certificates.crt ]] || cp /etc/ssl/certs/ca-certificates.crt "$folder/etc/ssl/certs/ca-certificates.crt"
[[ ! -f /etc/resolv.conf ]] || cp /etc/resolv.conf "$folder/etc/resolv.conf"
ln -sf "$sdk/dotnet" "$folder/usr/bin/dotnet"
(($#)) || set -- ./test.sh

# The mounts are this process's own and end with it.
export folder sdk shared=$root/../shared
exec unshare --mount --propagation private bash -euo pipefail -c '
  for place in proc sys dev dev/pts dev/shm; do
    [[ ! -d /$place ]] || { mkdir -p "$folder/$place"; mount --rbind "/$place" "$folder/$place" 2>/dev/null || mount --bind "/$place" "$folder/$place"; }
  done
  mount --bind "$sdk" "$folder$sdk"
  [[ ! -d $shared ]] || mount --bind -o ro "$shared" "$folder/build/shared"
  exec env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DOTNET_NOLOGO=1 \
    DOTNET_CLI_TELEMETRY_OPTOUT=1 NUGET_CERT_REVOCATION_MODE=offline CI="${CI:-}" \
    chroot "$folder" bash -c "cd /build/distillsharp && eng/setup.sh --tests && exec \"\$@\"" test-on "$@"
' test-on "$@"
