#!/usr/bin/env bash
# What tells how a guest came up and what its releases did, oldest lines first. Runs in the guest.
#
#   logs.sh FOLDER NAME LINES [follow]
#
# FOLDER is /var/log, NAME the service's; LINES are shown of each file, and with `follow` new ones
# until Ctrl-C.
set -Eeuo pipefail

readonly folder=$1 name=$2 lines=$3 mode=${4-}
readonly releases=(journalctl --quiet --no-pager --output=short -t install-release)

# By name, as most of them come while one looks.
readonly files=("$folder"/{"$name-bootstrap","cfn-hup","$name"/{service_0,service_1,worker_0,supervisord}}.log)

follow() {
  "${releases[@]}" --follow &
  # A background program is deaf to Ctrl-C.
  trap 'kill "$!"' EXIT
  tail -n "$lines" -F "${files[@]}"
}

show() {
  local file there=()
  for file in "${files[@]}"; do
    [[ ! -e $file ]] || there+=("$file")
  done
  "${releases[@]}" --lines "$lines" || true
  if ((${#there[@]})); then
    tail -n "$lines" "${there[@]}"
  else
    echo 'No log file is there yet.' >&2
  fi
}

if [[ $mode == follow ]]; then follow; else show; fi
