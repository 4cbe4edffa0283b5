#!/usr/bin/env bash
# Brings this instance to the release that the stack's metadata names: first boot, update, roll back.
#
#   install-release.sh [--env FILE] [--again] [--to SHA256] [--check]
#     --env FILE    variables to load (default: /etc/NAME/instance.env of the service installed here)
#     --again       tries a release that failed before
#     --to SHA256   swaps to a release that is installed already, and asks nobody
#     --check       does nothing, but must get that far: how a release is asked about its installer
#
# Run by user data at first boot, by cfn-hup when the metadata changes, by an operator at any time.
# One at a time (flock); it may be killed anywhere, the next run repairs: a release folder has its
# final name only when it is whole, `current` moves in one rename, `good` names the release to go
# back to. Exit code 0: the wanted release serves, or it failed before and is left alone; 1: it
# does not, and the last good one serves, if there is any; 2: called or set up wrongly.
set -Eeuo pipefail

here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
readonly here
# shellcheck source=messages.sh
source "$here/messages.sh"
# shellcheck source=environment.sh
source "$here/environment.sh"
# shellcheck source=pointer.sh
source "$here/pointer.sh"
# shellcheck source=release.sh
source "$here/release.sh"
# shellcheck source=workers.sh
source "$here/workers.sh"
# shellcheck source=queue_workers.sh
source "$here/queue_workers.sh"
# shellcheck source=swap.sh
source "$here/swap.sh"
# shellcheck source=postponement.sh
source "$here/postponement.sh"
# shellcheck source=outcome.sh
source "$here/outcome.sh"

env_file='' again='' wanted='' check=''

usage_error() {
  error "$1. Usage: install-release.sh [--env FILE] [--again] [--to SHA256] [--check]"
  exit 2
}

read_arguments() {
  while (($#)); do
    case $1 in
      --env | --to) (($# > 1)) || usage_error "$1 needs a value" ;;&
      --env) env_file=$2 && shift 2 ;;
      --to) wanted=$2 && shift 2 ;;
      --again) again=yes && shift ;;
      --check) check=yes && shift ;;
      *) usage_error "unknown argument '$1'" ;;
    esac
  done
}

take_lock() {
  mkdir -p "$SERVICE_HOME"
  # What this run starts holds the lock as well, so a killed run's last order is over before the next.
  # Who may open it could hold it for ever, so it is nobody else's.
  (umask 077 && : >>"$SERVICE_HOME/install.lock")
  exec 9>"$SERVICE_HOME/install.lock"
  flock --wait "${SERVICE_LOCK_SECONDS:-300}" 9 || fail "another install-release is still at work" "Try again when it is done"
}

leave_when_current() {
  [[ $(linked current) == "$wanted" ]] || return 0
  if ! supervisord_runs; then
    say "release $(short "$wanted") is current; supervisord is not running and will start with it"
  elif serves_well "$wanted"; then
    conclude
    say "release $(short "$wanted") is current and healthy; nothing to do"
  else
    return 0
  fi
  exit 0
}

leave_when_it_failed_before() {
  [[ -z $again ]] && remembered_failure "$wanted" "$POINTER_BUILD" || return 0
  finish_going_back "$wanted"
  local reason advice
  reason="failed before: $(failure_reason "$wanted")"
  advice="Provision another release, or this one with another --build-id, or run install-release.sh --again"
  [[ -n $(linked current) ]] || fail "$reason" "$advice"
  say "release $(short "$wanted") $reason; $(kept). $advice"
  exit 0
}

require_supervisord_for_an_update() {
  [[ -z $(linked current) ]] || supervisord_runs ||
    fail "supervisord is not running, so this release cannot be checked" "Start supervisord and run install-release.sh again"
}

# What serves well now is what a bad release goes back to.
record_what_serves() {
  local now
  now=$(linked current)
  [[ -z $now || $(linked good) == "$now" ]] || ! serves_well "$now" || record_good "$now"
}

install() {
  fetch_release "$wanted"
  unpack_release "$wanted"
  try_release "$wanted"
  swap_to "$wanted"
  conclude
  report INFO "release $(short "$wanted") is installed"
  say "release $(short "$wanted") is installed"
}

# The release wanted serves, or will when supervisord starts; whatever was in its way is over.
conclude() {
  ! supervisord_runs || record_good "$wanted"
  forget_failure "$wanted"
  forget_postponement
  prune_releases
}

_main() {
  # The service's user reads what is written here, whatever the caller's umask.
  umask 022
  read_arguments "$@"
  load_environment "$env_file"
  [[ -z $check ]] || exit 0
  trap '((BASH_SUBSHELL)) || fail "line $LINENO of ${BASH_SOURCE##*/}: $BASH_COMMAND"' ERR
  take_lock
  if [[ -n $wanted ]]; then
    [[ $wanted =~ ^[0-9a-f]{64}$ && -d $(release_folder "$wanted") ]] || usage_error "release '$wanted' is not installed; $SERVICE_HOME/releases holds: $(installed_releases)"
    again=yes
  else
    read_pointer
    wanted=$POINTER_SHA256
  fi
  remove_leftovers
  leave_when_current
  leave_when_it_failed_before
  require_supervisord_for_an_update
  leave_while_postponed
  record_what_serves
  install
}

_main "$@"
