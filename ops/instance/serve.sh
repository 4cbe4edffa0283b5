#!/bin/sh
# Runs one worker of the release that `current` points to; supervisord calls it at every start.
#
# Reads  SERVICE_HOME, SERVICE_PYTHON (see ops/README.md)
# Sets   SERVICE_DIGEST, SERVICE_MODE
# POSIX sh: it runs on an instance and on a laptop alike.
set -eu

: "${SERVICE_HOME:?serve: SERVICE_HOME is not set. Set it to the folder that holds releases/ and current.}"
: "${SERVICE_PYTHON:?serve: SERVICE_PYTHON is not set. Set it to the absolute path of the interpreter.}"

# The physical folder: when `current` is flipped later, this process still sees one release only.
cd -P "$SERVICE_HOME/current" || {
  echo "serve: error: $SERVICE_HOME/current leads nowhere. Run install-release.sh first." >&2
  exit 1
}
SERVICE_DIGEST=$(basename "$(pwd -P)")
SERVICE_MODE=instance

# Nothing of the caller's Python may reach into the release, and nothing is written beside its files.
unset PYTHONPATH PYTHONHOME PYTHONSTARTUP
PYTHONDONTWRITEBYTECODE=1
PYTHONUNBUFFERED=1
export SERVICE_DIGEST SERVICE_MODE PYTHONDONTWRITEBYTECODE PYTHONUNBUFFERED

# -S: no site-packages, so what the artifact holds is all that can be imported.
exec "$SERVICE_PYTHON" -S -m service http-server
