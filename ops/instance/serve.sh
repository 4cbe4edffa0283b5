#!/bin/sh
# Runs one worker of the release that this file is part of; supervisord calls it through `current`
# at every start, install-release in the release that it tries.
#
#   serve.sh [COMMAND]    a command of `python -m service`: http-server if none is named, or worker
#
# Reads  SERVICE_PYTHON, SERVICE_WORKER_QUEUES (see ops/README.md)
# Sets   SERVICE_DIGEST, SERVICE_MODE
# POSIX sh: it runs on an instance and on a laptop alike.
set -eu

command=${1:-http-server}
: "${SERVICE_PYTHON:?serve: SERVICE_PYTHON is not set. Set it to the absolute path of the interpreter.}"

# The physical folder: when `current` is flipped later, this process still sees one release only.
cd -P "$(dirname "$0")/../.."
SERVICE_DIGEST=$(basename "$(pwd -P)")
SERVICE_MODE=instance

# Nothing of the caller's Python may reach into the release, and nothing is written beside its files.
unset PYTHONPATH PYTHONHOME PYTHONSTARTUP
PYTHONDONTWRITEBYTECODE=1
PYTHONUNBUFFERED=1
export SERVICE_DIGEST SERVICE_MODE PYTHONDONTWRITEBYTECODE PYTHONUNBUFFERED

# -S: no site-packages, so what the artifact holds is all that can be imported.
set -- "$SERVICE_PYTHON" -S -m service "$command"

# A worker without queues ends at once and rightly so, but supervisord takes whatever ends within its
# `startsecs` for a failure. Its status (77, as in supervisor/worker.conf) is one that no worker with
# queues ends with, whoever stopped that: supervisord starts it again.
if [ "$command" = worker ] && [ -z "${SERVICE_WORKER_QUEUES:-}" ]; then
  sleep 2 &
  trap 'kill $!; exit 0' TERM
  wait $!
  trap - TERM
  "$@"
  exit 77
fi

exec "$@"
