#!/usr/bin/env bash
# Boots one guest in the network and mount namespaces that it is started in, and again when it
# reboots. Started by guest.py through unshare(1); ends when the guest has shut down.
#
#   start.sh FOLDER IMAGE NAME
#
# FOLDER holds the guest's own files (upper/, over IMAGE) and the pipe `go`, which is written to
# as soon as the metadata service and the way out are there. TERM shuts the guest down.
set -Eeuo pipefail

readonly folder=$1 image=$2 name=$3
readonly REBOOT=133 # systemd-nspawn(1), "Exit status": the container asked for a reboot

# systemd-nspawn makes the guest's control groups below its own. Guests that shared it would share
# the groups of their services too, and no systemd could end what it cannot see.
groups=()
join_own_groups() {
  local mine id hierarchy path root own
  mine=$(</proc/self/cgroup) # whole, as it changes below
  while IFS=: read -r id hierarchy path; do
    case $id:$hierarchy in
      0:) if [[ -d /sys/fs/cgroup/unified ]]; then root=/sys/fs/cgroup/unified; else root=/sys/fs/cgroup; fi ;;
      *:name=systemd) root=/sys/fs/cgroup/systemd ;;
      *) continue ;;
    esac
    # Of guests that were killed; those that run cannot be removed.
    find "$root$path" -maxdepth 1 -name 'twofold-*' -mmin +1 | while read -r own; do remove_group "$own"; done
    own=$(mktemp --directory "$root${path%/}/twofold-XXXXXX")
    groups+=("$own")
    echo $$ >"$own/cgroup.procs"
  done <<<"$mine"
}

leave_own_groups() {
  local group
  for group in "${groups[@]}"; do
    echo $$ >"${group%/*}/cgroup.procs"
    remove_group "$group"
  done
}

remove_group() { find "$1" -depth -type d -exec rmdir {} + 2>/dev/null || true; }

trap leave_own_groups EXIT
join_own_groups
ip link set lo up
ip address add 169.254.169.254/32 dev lo
mkdir -p "$folder"/{upper,work,system}
mount -t overlay overlay -o "lowerdir=$image,upperdir=$folder/upper,workdir=$folder/work" "$folder/system"
touch "$folder/network"
read -r resolver <"$folder/go"
printf 'nameserver %s\n' "$resolver" >"$folder/system/etc/resolv.conf"
printf '%s\n' "$name" >"$folder/system/etc/hostname"

nspawn='' stopping=no
stop() { [[ -z $nspawn ]] || kill -TERM "$nspawn" 2>/dev/null || true; }
trap 'stopping=yes; stop' TERM
while true; do
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn --quiet --directory="$folder/system" \
    --machine="$name" --boot --register=no --keep-unit --console=read-only \
    --network-namespace-path=/proc/self/ns/net --resolv-conf=off --link-journal=no &
  nspawn=$!
  [[ $stopping == no ]] || stop # TERM came before there was anybody to pass it on to
  status=0
  # A signal ends the wait, not the guest.
  until wait "$nspawn" && status=0 || status=$? && ! kill -0 "$nspawn" 2>/dev/null; do :; done
  [[ $status == "$REBOOT" && $stopping == no ]] || exit "$status"
done
