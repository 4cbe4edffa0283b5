#!/usr/bin/env bash
# supervisorctl with this instance's variables: supervisorctl.sh status, tail -f service:service_0, ...
set -Eeuo pipefail

here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
readonly here
# shellcheck source=messages.sh
source "$here/messages.sh"
# shellcheck source=environment.sh
source "$here/environment.sh"

load_environment ''
exec supervisorctl -c "$here/../supervisor/supervisord.conf" "$@"
