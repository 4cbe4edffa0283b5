# shellcheck shell=bash
# The HTTP workers under supervisord: which release each runs, and moving them one at a time.

readonly WORKERS='service:*'
# Why the last roll_workers failed; swap.sh reports it, with FAILURE_LOG.
ROLL_FAILURE=''
# The process that was asked last whether it serves.
WORKER_PID=''
# The processes that serve, as all_serve found them.
SERVING=''

# The configuration beside this script names the socket; it stays readable whatever `current` names.
control() { supervisorctl -c "${here:?}/../supervisor/supervisord.conf" "$@"; }

supervisord_runs() { control pid >/dev/null 2>&1; }

# Those that do not run come first: what takes the others down one by one then never stops the only
# one that serves. supervisorctl exits with 3 when a worker is down, and still lists it.
workers() {
  { control status "$WORKERS" || true; } |
    awk '/^service:/ { print ($2 == "RUNNING"), $1 }' | sort | cut -d ' ' -f 2
}

# supervisord goes on with the stop of a run that was killed, and starts no worker meanwhile.
await_stop() { while control status "$1" | grep -q ' STOPPING '; do sleep 0.1; done; }

worker_pid() { control pid "$1" 2>/dev/null || true; }

# serve.sh gives it to the worker, which may change its folder but not what it was started with.
release_of() { { tr '\0' '\n' <"/proc/$1/environ" | sed -n 's/^SERVICE_DIGEST=//p'; } 2>/dev/null; }

# RUNNING is not ready: the process itself must answer. The socket is shared, so it is asked until
# the answer comes from this process.
answers() {
  local pid=$1 digest=$2
  python3 -I "${here:?}/await_health.py" --host "$SERVICE_HOST" --port "$SERVICE_PORT" \
    --digest "$digest" --pid "$pid" --seconds "$SERVICE_HEALTH_SECONDS" "${@:3}" 9>&-
}

worker_serves() {
  WORKER_PID=$(worker_pid "$1")
  [[ $WORKER_PID =~ ^[1-9][0-9]*$ && $(release_of "$WORKER_PID") == "$2" ]] || return 1
  answers "$WORKER_PID" "$2" >/dev/null 2>&1
}

workers_serve() {
  local worker found
  found=$(workers)
  [[ -n $found ]] || return 1
  for worker in $found; do
    worker_serves "$worker" "$1" || return 1
    SERVING+=" $WORKER_PID"
  done
}

# Every worker that does not serve the release yet, one after the other; stops at the first failure.
# At the end the same processes must serve: supervisord would restart one that crashes.
roll_workers() {
  local worker found
  local -A pids=()
  found=$(workers)
  ROLL_FAILURE="supervisord knows no worker '$WORKERS'"
  [[ -n $found ]] || return 1
  for worker in $found; do
    worker_serves "$worker" "$1" || roll_worker "$worker" "$1" || return 1
    pids[$worker]=$WORKER_PID
  done
  for worker in $found; do
    worker_serves "$worker" "$1" && [[ $WORKER_PID == "${pids[$worker]}" ]] || blame "$worker" "did not last" || return 1
  done
}

roll_worker() {
  local worker=$1 digest=$2 output
  say "restarting $worker on release $(short "$digest")"
  control stop "$worker" >/dev/null 2>&1 || true
  await_stop "$worker"
  output=$(control start "$worker" 2>&1) || blame "$worker" "does not start: ${output##*$'\n'}" || return 1
  WORKER_PID=$(worker_pid "$worker")
  output=$(answers "$WORKER_PID" "$digest" --stay "$SERVICE_SETTLE_SECONDS" 2>&1) ||
    blame "$worker" "is not healthy: ${output##*$'\n'}" || return 1
}

blame() {
  # shellcheck disable=SC2034  # read by swap.sh and outcome.sh
  ROLL_FAILURE="$1 $2" FAILURE_LOG=$(control tail -8192 "$1" 2>/dev/null)
  return 1
}
