# shellcheck shell=bash
# How a run ended, for whoever reads the journal and for the log group, if there is one.

# The end of what the release or its worker wrote, when that is why the run failed.
FAILURE_LOG=''

# The reason is the last line on standard error.
fail() {
  local reason=$1 advice=${2:-}
  trap - ERR
  [[ -z $FAILURE_LOG ]] || tail -n 20 <<<"$FAILURE_LOG" >&2
  error "${wanted:+release $(short "$wanted"): }${reason%.}; $(kept)${advice:+. $advice}"
  report ERROR "$reason"
  exit 1
}

kept() {
  local current
  current=$(linked current)
  if [[ -n $current ]]; then printf 'keeping release %s' "$(short "$current")"; else printf 'no release is installed'; fi
}

# Into the log group that `twofold status` reads. One that is out of reach changes nothing else.
report() {
  local level=$1 message=$2 event
  [[ -n ${SERVICE_LOG_GROUP:-} && -n ${SERVICE_INSTANCE:-} ]] || return 0
  event=$(printf '%s\0' "$level" "$message" "${wanted:-}" "${POINTER_BUILD:-}" "$(linked current)" \
    "$SERVICE_INSTANCE" "$FAILURE_LOG" | python3 -I "${here:?}/event.py") || return 0
  log_stream create-log-stream >/dev/null 2>&1 || true # it exists, or the next line says what is wrong
  log_stream put-log-events --log-events file:///dev/stdin <<<"$event" >/dev/null ||
    say "cannot write to log group $SERVICE_LOG_GROUP, stream $SERVICE_INSTANCE/release"
}

log_stream() {
  timeout 30 aws logs "$1" --region "$AWS_REGION" --cli-connect-timeout 5 --cli-read-timeout 10 \
    --log-group-name "$SERVICE_LOG_GROUP" --log-stream-name "$SERVICE_INSTANCE/release" "${@:2}"
}
