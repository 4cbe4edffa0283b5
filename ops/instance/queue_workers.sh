# shellcheck shell=bash
# The queue workers under supervisord. Nobody can ask them anything: one that runs, and goes on
# running, works.

# None where the instances work off no queue, or where supervisord is older than worker.conf and
# will read it at its next start.
queue_workers() {
  [[ -n ${SERVICE_WORKER_QUEUES:-} ]] || return 0
  { control status 'worker:*' || true; } | awk '/^worker:worker_/ { print $1 }'
}

queue_worker_state() { { control status "$1" || true; } | awk '{ print $2 }'; }

await_start() { while [[ $(queue_worker_state "$1") == STARTING ]]; do sleep 0.1; done; }

queue_worker_runs() {
  await_start "$1"
  WORKER_PID=$(worker_pid "$1")
  [[ $(queue_worker_state "$1") == RUNNING && $(release_of "$WORKER_PID") == "$2" ]]
}

queue_workers_run() {
  local worker
  for worker in $(queue_workers); do
    queue_worker_runs "$worker" "$1" || return 1
    SERVING+=" $WORKER_PID"
  done
}

# One after the other. How long a worker takes to finish what it has in hand is its own business,
# and supervisord's, which has a limit (stopwaitsecs).
roll_queue_workers() {
  local worker
  for worker in $(queue_workers); do
    queue_worker_runs "$worker" "$1" || roll_queue_worker "$worker" "$1" || return 1
  done
}

roll_queue_worker() {
  local worker=$1 digest=$2 output pid
  say "restarting $worker on release $(short "$digest")"
  control stop "$worker" >/dev/null 2>&1 || true
  await_stop "$worker"
  output=$(control start "$worker" 2>&1) || blame "$worker" "does not start: ${output##*$'\n'}" || return 1
  pid=$(worker_pid "$worker")
  sleep "$SERVICE_SETTLE_SECONDS"
  queue_worker_runs "$worker" "$digest" && [[ $WORKER_PID == "$pid" ]] && return
  blame "$worker" "did not last"
}
