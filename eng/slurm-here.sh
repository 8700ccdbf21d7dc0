#!/usr/bin/env bash
# Runs a command beside a Slurm of one node, this machine, which ends with it: to try job files before a cluster sees them. Root only.
#   eng/slurm-here.sh COMMAND ARGUMENT...      for example: eng/slurm-here.sh srun -n 2 hostname
# Installs slurm-wlm and munge where they are missing (Debian). Its files lie in artifacts/slurm; the system's own Slurm, if there
# is one, is left alone.
set -euo pipefail

complain() { echo "eng/slurm-here.sh: $*" >&2; exit "${code:-1}"; }

root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
case ${1:-} in
  "") code=2 complain "give the command to run, for example: eng/slurm-here.sh srun -n 2 hostname" ;;
  -h | --help) sed -n '2,6s/^# \?//p' "$0"; exit 0 ;;
esac
((EUID == 0)) || complain "this needs root, for slurmd; run it by sudo"
if ! command -v slurmctld slurmd munged >/dev/null; then
  apt-get -qq update >&2 || true
  DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends slurm-wlm munge >&2 || complain "slurm-wlm and munge are missing and could not be installed"
fi

folder=$root/artifacts/slurm
rm -rf "$folder"
mkdir -p "$folder"/{state,spool,munge}
chmod 700 "$folder"/munge
head -c 1024 /dev/urandom >"$folder/munge/key"
chmod 600 "$folder/munge/key"
memory=$(awk '/^MemTotal:/ { print int($2 / 1024 * 0.9) }' /proc/meminfo)
host=$(hostname -s)
cat >"$folder/slurm.conf" <<CONF
ClusterName=here
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmctldPort=16817
SlurmdPort=16818
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket
CryptoType=crypto/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
# No control groups: they may not be there, and nobody is to be kept from anything here.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$memory State=UNKNOWN
PartitionName=here Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$folder/slurm.conf

daemons=()
end() {
  local id
  for id in "${daemons[@]}"; do kill "$id" 2>/dev/null || true; done
  wait 2>/dev/null || true
}
trap end EXIT
munged --foreground --force --key-file="$folder/munge/key" --socket="$folder/munge/socket" --pid-file="$folder/munge/pid" \
  --log-file="$folder/munge/log" --seed-file="$folder/munge/seed" >"$folder/munged.out" 2>&1 &
daemons+=($!)
for _ in $(seq 50); do [[ ! -S $folder/munge/socket ]] || break; sleep 0.1; done
slurmctld -D >"$folder/slurmctld.out" 2>&1 &
daemons+=($!)
slurmd -D -N "$host" >"$folder/slurmd.out" 2>&1 &
daemons+=($!)
for _ in $(seq 100); do
  [[ $(sinfo --noheader --format=%T 2>/dev/null) != idle* ]] || break
  sleep 0.2
done
[[ $(sinfo --noheader --format=%T 2>/dev/null) == idle* ]] ||
  complain "the node is not ready (sinfo says '$(sinfo --noheader 2>&1 | head -n 1)'); the logs are in artifacts/slurm"
"$@"
