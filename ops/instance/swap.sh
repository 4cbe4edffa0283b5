# shellcheck shell=bash
# `current` is what workers start with; `good` is the last release that every worker served well.

linked() {
  local target
  target=$(readlink "$SERVICE_HOME/$1" 2>/dev/null) || return 0
  printf '%s\n' "${target#releases/}"
}

# One rename: whoever resolves the link sees the old release or the new one, never none.
point() {
  local link=$SERVICE_HOME/$1
  ln -sfn "releases/$2" "$link.next"
  mv -T "$link.next" "$link"
  sync "$SERVICE_HOME"
}

record_good() { [[ $(linked good) == "$1" ]] || point good "$1"; }

# Requests first: a message waits.
roll() { roll_workers "$1" && roll_queue_workers "$1"; }

all_serve() { SERVING='' && workers_serve "$1" && queue_workers_run "$1"; }

# Nothing vouches yet for a release whose installation was interrupted, or that supervisord has just
# started: its processes must answer, live on and answer again.
serves_well() {
  local before
  all_serve "$1" || return 1
  [[ $(linked good) != "$1" ]] || return 0
  before=$SERVING
  sleep "$SERVICE_SETTLE_SECONDS"
  all_serve "$1" && [[ $SERVING == "$before" ]]
}

# A connection that breaks, or Ctrl-C, must not leave the workers on two releases.
swap_to() {
  local digest=$1 before
  trap '' HUP INT
  before=$(linked current)
  # Both are the newest now; prune_releases looks at that.
  touch ${before:+"$(release_folder "$before")"} "$(release_folder "$digest")"
  point current "$digest"
  if ! supervisord_runs; then
    [[ -z $before ]] || say "supervisord is not running and will start with release $(short "$digest")"
    return 0
  fi
  roll "$digest" || go_back "$digest"
}

go_back() {
  local bad=$1 good reason=$ROLL_FAILURE
  good=$(linked good)
  [[ -n $good && $good != "$bad" ]] || postpone "$reason; there is no release to go back to"
  if supervisord_runs; then remember_failure "$bad" "$reason"; fi
  error "release $(short "$bad"): $reason; going back to release $(short "$good")"
  point current "$good"
  supervisord_runs || fail "supervisord ended while its workers were restarted"
  roll "$good" || fail "$reason; release $(short "$good") does not serve either: $ROLL_FAILURE"
  prune_releases
  fail "$reason"
}

# A run that was killed while it went back is finished here.
finish_going_back() {
  local bad=$1 good
  good=$(linked good)
  [[ $(linked current) != "$bad" || -z $good || $good == "$bad" ]] || point current "$good"
  [[ -n $(linked current) ]] && supervisord_runs || return 0
  roll "$(linked current)" || fail "release $(short "$(linked current)") does not serve: $ROLL_FAILURE"
  prune_releases
}
