#!/usr/bin/env bash
# Writes the configuration of systemd, cfn-hup and Amazon's CloudWatch agent for this instance, from
# the real files in ops/.
#
#   configure.sh --env FILE
#
# Run by user data at first boot; safe to run again. Starts nothing.
# TWOFOLD_ROOT puts everything below another root, for tests.
set -Eeuo pipefail

here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
readonly here ops=${here%/instance} root=${TWOFOLD_ROOT:-}
# shellcheck source=messages.sh
source "$here/messages.sh"
# shellcheck source=environment.sh
source "$here/environment.sh"

# Every @TOKEN@ of the file is filled in; the values hold nothing that sed, an ini file or JSON reads
# otherwise, which user data checked before it wrote them.
render() {
  local source=$1 target=$root$2 mode=$3
  install -d "${target%/*}"
  sed -e "s|@NAME@|$SERVICE_NAME|g" -e "s|@HOME@|$SERVICE_HOME|g" -e "s|@USER@|$SERVICE_USER|g" \
    -e "s|@ENV@|$env_file|g" -e "s|@STACK@|$SERVICE_STACK|g" -e "s|@FLEET@|$SERVICE_FLEET|g" \
    -e "s|@REGION@|$AWS_REGION|g" -e "s|@ROLE@|$SERVICE_ROLE|g" \
    -e "s|@LOG_GROUP@|$SERVICE_LOG_GROUP|g" -e "s|@INSTANCE@|$SERVICE_INSTANCE|g" \
    "$ops/$source" >"$target.next"
  chmod "$mode" "$target.next"
  mv -T "$target.next" "$target"
}

_main() {
  [[ $# == 2 && $1 == --env ]] || { error "Usage: configure.sh --env FILE" && exit 2; }
  env_file=$2
  load_environment "$env_file"
  require SERVICE_ROLE SERVICE_LOG_GROUP SERVICE_INSTANCE
  render systemd/supervisor.conf /etc/systemd/system/supervisor.service.d/twofold.conf 0644
  render systemd/cfn-hup.service /etc/systemd/system/cfn-hup.service 0644
  render cfn-hup/cfn-hup.conf /etc/cfn/cfn-hup.conf 0400
  render cfn-hup/hooks.d/release.conf /etc/cfn/hooks.d/release.conf 0400
  render cloudwatch/amazon-cloudwatch-agent.json "/etc/$SERVICE_NAME/amazon-cloudwatch-agent.json" 0644
}

_main "$@"
