#!/usr/bin/env bash
# Stands in for the command of the same name in Amazon's CloudWatch agent, as far as user data and
# an operator of a guest use it:
#
#   amazon-cloudwatch-agent-ctl -a fetch-config [-m ec2] [-s] -c file:PATH
#   amazon-cloudwatch-agent-ctl -a start | stop | status
set -Eeuo pipefail

readonly HOME_OF_AGENT=/opt/aws/amazon-cloudwatch-agent
readonly CONFIG=$HOME_OF_AGENT/etc/amazon-cloudwatch-agent.json
readonly UNIT=amazon-cloudwatch-agent.service

fail() {
  printf 'amazon-cloudwatch-agent-ctl: error: %s\n' "$*" >&2
  exit 1
}

fetch_config() {
  local source=$1 and_start=$2
  [[ $source == file:* ]] || fail "-c is '$source'; this stand-in takes file:PATH only"
  "$HOME_OF_AGENT/bin/amazon-cloudwatch-agent" --config "${source#file:}" ||
    fail "${source#file:} is not taken"
  install -D -m 0644 "${source#file:}" "$CONFIG"
  [[ $and_start == no ]] || start
}

start() {
  [[ -f $CONFIG ]] || fail "no configuration yet; pass one with -a fetch-config -c file:PATH"
  systemctl daemon-reload
  systemctl enable "$UNIT"
  systemctl restart "$UNIT"
}

status() {
  local configured=configured running=stopped since=''
  [[ -f $CONFIG ]] || configured='not configured'
  if systemctl --quiet is-active "$UNIT"; then
    running=running
    since=$(systemctl show --property ActiveEnterTimestamp --value "$UNIT")
  fi
  printf '{\n  "status": "%s",\n  "starttime": "%s",\n  "configstatus": "%s",\n  "version": "stand-in"\n}\n' \
    "$running" "$since" "$configured"
}

_main() {
  local action='' mode=ec2 source='' and_start=no option
  while getopts ':a:m:c:s' option; do
    case $option in
      a) action=$OPTARG ;;
      m) mode=$OPTARG ;;
      c) source=$OPTARG ;;
      s) and_start=yes ;;
      *) fail "option -$OPTARG is unknown to this stand-in, or lacks its value" ;;
    esac
  done
  [[ $mode == ec2 ]] || fail "-m is '$mode'; a guest is ec2"
  case $action in
    fetch-config) fetch_config "$source" "$and_start" ;;
    start) start ;;
    stop) systemctl stop "$UNIT" ;;
    status) status ;;
    *) fail "-a is '$action'; this stand-in knows fetch-config, start, stop and status" ;;
  esac
}

_main "$@"
