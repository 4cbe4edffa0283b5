#!/bin/sh
# The user that the agent's configuration names in run_as_user, as Amazon's package makes it.
set -eu

id cwagent >/dev/null 2>&1 ||
  useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin cwagent
