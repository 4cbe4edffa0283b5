#!/usr/bin/env bash
# First boot of an instance: from a bare Debian or Ubuntu image to a release that serves.
#
# Run once, as root, by cloud-init; safe to run again by hand. It names no artifact: which release
# to install stands in the metadata of the fleet's resource, so this text, and with it the launch
# template, stays the same from release to release.
#
# Filled in when the template is built: service, fleet, port, python, log_group, queues,
# worker_queues, bootstrap_url, bootstrap_sha256, agent_url, agent_sha256. Filled in by
# CloudFormation: the stack's name, the region and the queues' addresses.
# TWOFOLD_ROOT and TWOFOLD_USER serve the tests: another root, another user than twofold.
set -Eeuo pipefail

readonly SERVICE='{{ service }}'
readonly STACK='{"Ref": "AWS::StackName"}'
readonly REGION='{"Ref": "AWS::Region"}'
readonly FLEET='{{ fleet }}'
readonly PORT='{{ port }}'
readonly PYTHON='{{ python }}'
readonly LOG_GROUP='{{ log_group }}'
# NAME=URL,... of every queue of the stack; NAME,... of those that the instances work off.
readonly QUEUES='{{ queues }}'
readonly WORKER_QUEUES='{{ worker_queues }}'
# AWS's helper scripts (cfn-hup) and Amazon's CloudWatch agent. Without a sha256 they are checked
# by form and come by https only.
readonly BOOTSTRAP_URL='{{ bootstrap_url }}'
readonly BOOTSTRAP_SHA256='{{ bootstrap_sha256 }}'
readonly AGENT_URL='{{ agent_url }}'
readonly AGENT_SHA256='{{ agent_sha256 }}'

readonly ROOT=${TWOFOLD_ROOT:-}
readonly RUN_AS=${TWOFOLD_USER:-twofold}
readonly SERVICE_HOME=$ROOT/opt/$SERVICE
readonly ENV_FILE=$ROOT/etc/$SERVICE/instance.env
readonly LOG=$ROOT/var/log/$SERVICE-bootstrap.log
readonly CFN_SCRIPTS=$ROOT/opt/aws/cfn-bootstrap
readonly AGENT_CTL=$ROOT/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl
readonly IMDS=http://169.254.169.254/latest
readonly HEALTH_SECONDS=${TWOFOLD_HEALTH_SECONDS:-180}
readonly RETRY_SECONDS=${TWOFOLD_RETRY_SECONDS:-5}

# A fixed language: what apt says is read below.
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a LC_ALL=C.UTF-8
export AWS_REGION=$REGION AWS_DEFAULT_REGION=$REGION AWS_MAX_ATTEMPTS=10 AWS_RETRY_MODE=standard
export PATH=$PATH:/snap/bin

say() { printf 'user-data: %s\n' "$*" >&2; }

fail() {
  say "error: $*"
  exit 1
}

retry() {
  local attempt
  for attempt in 1 2 3 4 5; do
    "$@" && return
    say "attempt $attempt of 5 failed: ${*:1:3}"
    ((attempt == 5)) || sleep "$((RETRY_SECONDS * attempt))"
  done
  return 1
}

# These values go into configuration files; a line break or a quote would change what those say.
check_settings() {
  [[ $SERVICE =~ ^[a-z][a-z0-9-]*$ ]] || fail "service name '$SERVICE' is malformed"
  [[ $STACK =~ ^[A-Za-z][A-Za-z0-9-]*$ ]] || fail "stack name '$STACK' is malformed"
  [[ $REGION =~ ^[a-z0-9-]+$ ]] || fail "region '$REGION' is malformed"
  [[ $FLEET =~ ^[A-Za-z0-9]+$ ]] || fail "logical ID '$FLEET' is malformed"
  [[ $PORT =~ ^[0-9]+$ ]] || fail "port '$PORT' is malformed"
  [[ $LOG_GROUP =~ ^[A-Za-z0-9._/#-]+$ ]] || fail "log group '$LOG_GROUP' is malformed"
  [[ $QUEUES =~ ^[A-Za-z0-9._/:=,-]*$ ]] || fail "queues '$QUEUES' are malformed"
  [[ $WORKER_QUEUES =~ ^[a-z0-9,-]*$ ]] || fail "worker queues '$WORKER_QUEUES' are malformed"
}

# The token comes on standard input, since everybody may read the list of processes.
imds() {
  local token
  token=$(curl -fsS --retry 5 --max-time 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' "$IMDS/api/token")
  curl -fsS --retry 5 --max-time 5 -H @- "$IMDS/meta-data/$1" <<<"X-aws-ec2-metadata-token: $token"
}

# apt-get waits for dpkg's lock and for no other. The daily update, which a new image begins with,
# holds these for minutes on a small instance.
await_apt() {
  local lock
  for lock in "$ROOT"/var/{lib/apt/lists,cache/apt/archives}/lock; do
    [[ ! -e $lock ]] || timeout 300 python3 -c '
import fcntl, sys
with open(sys.argv[1], "a") as lock:
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        print(f"user-data: waiting for {lock.name}, which another apt holds", file=sys.stderr)
        fcntl.lockf(lock, fcntl.LOCK_EX)
' "$lock" || say "going on without $lock"
  done
}

# Without the error mode `update` exits with 0 when an index cannot be fetched; without a terminal of
# its own dpkg keeps its progress out of the log.
apt() {
  await_apt
  apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=5 -o APT::Update::Error-Mode=any \
    -o Dpkg::Use-Pty=0 -qq "$@"
}

install_packages() {
  local packages=(ca-certificates curl python3 python3-venv supervisor unzip)
  retry apt update || fail "apt-get update failed; the instance needs a way to its package archive"
  # Debian has the AWS CLI in its archive, Ubuntu 24.04 as a snap only.
  if [[ $(apt-cache policy awscli) == *'Candidate: '[0-9]* ]]; then packages+=(awscli); fi
  retry apt install -y --no-install-recommends "${packages[@]}" || fail "cannot install ${packages[*]}"
  command -v aws >/dev/null || retry snap install aws-cli --classic || fail "cannot install the AWS CLI"
  command -v "python$PYTHON" >/dev/null ||
    fail "this image has $(python3 --version 2>&1), the release needs Python $PYTHON; choose the image that belongs to it"
}

fetch() {
  local what=$1 url=$2 sha256=$3 file=$4 found protocol='=https'
  [[ -z $sha256 ]] || protocol='=http,https'
  [[ -n $sha256 || $url == https://* ]] || fail "'$url' is not https; give the sha256 of $what with it"
  retry curl -fsSL --proto "$protocol" --connect-timeout 10 --speed-limit 1000 --speed-time 20 --max-time 300 -o "$file" "$url" || fail "cannot fetch $url"
  found=$(sha256sum "$file" | cut -d ' ' -f 1)
  [[ -z $sha256 || $found == "$sha256" ]] || fail "sha256 of $what is $found, expected $sha256"
}

# Debian refuses pip beside its own packages (PEP 668), so the scripts get an environment of their own.
install_cfn_scripts() {
  local archive=$SCRATCH/scripts.tar.gz
  [[ ! -x $CFN_SCRIPTS/bin/cfn-hup ]] || return 0
  fetch "AWS's helper scripts" "$BOOTSTRAP_URL" "$BOOTSTRAP_SHA256" "$archive"
  check_cfn_scripts "$archive"
  rm -rf "$CFN_SCRIPTS"
  python3 -m venv "$CFN_SCRIPTS"
  retry "$CFN_SCRIPTS/bin/python" -m pip install --quiet --no-input --disable-pip-version-check \
    "$archive" || fail "cannot install AWS's helper scripts from $BOOTSTRAP_URL"
  [[ -x $CFN_SCRIPTS/bin/cfn-hup ]] || fail "$BOOTSTRAP_URL brought no cfn-hup"
  "$CFN_SCRIPTS/bin/cfn-hup" --help >/dev/null || fail "cfn-hup of $BOOTSTRAP_URL does not start under $(python3 --version)"
}

check_cfn_scripts() {
  local names
  names=$(tar -tzf "$1") || fail "$BOOTSTRAP_URL is no tar.gz"
  if grep -Evq '^aws-cfn-bootstrap-2\.[0-9]+(-[0-9]+)?(/|$)' <<<"$names" ||
    grep -Eq '(^|/)\.\.(/|$)' <<<"$names" || ! grep -Eq '^[^/]+/bin/cfn-hup$' <<<"$names"; then
    fail "$BOOTSTRAP_URL does not hold aws-cfn-bootstrap 2.x"
  fi
}

install_agent() {
  local name package=$SCRATCH/agent.deb
  [[ ! -x $AGENT_CTL ]] || return 0
  fetch "Amazon's CloudWatch agent" "$AGENT_URL" "$AGENT_SHA256" "$package"
  name=$(dpkg-deb --field "$package" Package) || fail "$AGENT_URL is no Debian package"
  [[ $name == amazon-cloudwatch-agent ]] || fail "$AGENT_URL is the package '$name', not amazon-cloudwatch-agent"
  retry apt install -y "$package" || fail "cannot install Amazon's CloudWatch agent from $AGENT_URL"
  [[ -x $AGENT_CTL ]] || fail "$AGENT_URL brought no amazon-cloudwatch-agent-ctl"
}

write_environment() {
  local role instance
  instance=$(imds instance-id) || fail "the metadata service at $IMDS does not say the instance's ID"
  role=$(imds iam/security-credentials/) || fail "the instance has no role; give the launch template an instance profile"
  id "$RUN_AS" >/dev/null 2>&1 ||
    useradd --system --user-group --home-dir "/var/lib/$SERVICE" --shell /usr/sbin/nologin "$RUN_AS"
  install -d -m 0755 "${ENV_FILE%/*}" "$SERVICE_HOME"
  own_folders
  cat >"$ENV_FILE.next" <<ENV
SERVICE_NAME=$SERVICE
SERVICE_MODE=instance
SERVICE_HOST=${TWOFOLD_HOST:-0.0.0.0}
SERVICE_PORT=$PORT
SERVICE_HOME=$SERVICE_HOME
SERVICE_RUN=$ROOT/run/$SERVICE
SERVICE_LOGS=$ROOT/var/log/$SERVICE
SERVICE_USER=$RUN_AS
SERVICE_PYTHON=$(command -v "python$PYTHON")
SERVICE_STACK=$STACK
SERVICE_FLEET=$FLEET
SERVICE_ROLE=$role
SERVICE_LOG_GROUP=$LOG_GROUP
SERVICE_INSTANCE=$instance
SERVICE_QUEUES=$QUEUES
SERVICE_WORKER_QUEUES=$WORKER_QUEUES
AWS_REGION=$REGION
AWS_DEFAULT_REGION=$REGION
ENV
  mv -T "$ENV_FILE.next" "$ENV_FILE"
}

# systemd makes them when supervisord starts, of whatever is there; the first release is tried before.
own_folders() {
  local folder owner
  for folder in "$ROOT/run/$SERVICE" "$ROOT/var/log/$SERVICE" "$ROOT/var/lib/$SERVICE"; do
    owner=$(stat -c %U "$folder" 2>/dev/null) || owner=$RUN_AS
    [[ $owner == "$RUN_AS" ]] || fail "$folder is $owner's; the service needs another name"
  done
  install -d -o "$RUN_AS" -g "$(id -gn "$RUN_AS")" "$ROOT/var/log/$SERVICE" "$ROOT/var/lib/$SERVICE"
}

read_pointer() {
  local metadata
  metadata=$(retry aws cloudformation describe-stack-resource --region "$REGION" --stack-name "$STACK" \
    --logical-resource-id "$FLEET" --query StackResourceDetail.Metadata --output text) ||
    fail "cannot read the metadata of $FLEET in stack $STACK"
  POINTER=$(python3 -I -c '
import json, sys
release = json.loads(sys.argv[1])["Release"]
print(release["Bucket"], release["Key"], release["Sha256"])' "$metadata") ||
    fail "the metadata of $FLEET in stack $STACK names no release"
}

fetch_artifact() {
  local bucket key digest found
  read -r bucket key digest <<<"$POINTER"
  ARTIFACT=$SERVICE_HOME/downloads/$digest.zip
  install -d "${ARTIFACT%/*}"
  retry aws s3 cp --region "$REGION" --only-show-errors "s3://$bucket/$key" "$ARTIFACT.part" ||
    fail "cannot fetch s3://$bucket/$key"
  found=$(sha256sum "$ARTIFACT.part" | cut -d ' ' -f 1)
  [[ $found == "$digest" ]] ||
    { rm -f "$ARTIFACT.part" && fail "sha256 of s3://$bucket/$key is $found, expected $digest; nothing was unpacked"; }
  mv -T "$ARTIFACT.part" "$ARTIFACT"
}

# The artifact brings its own installer, which finds the verified download in place.
install_release() {
  local output
  output=$(unzip -q "$ARTIFACT" 'ops/*' -d "$SCRATCH" 2>&1) || fail "cannot unpack ops/ of the artifact: ${output##*$'\n'}"
  run_installer "$SCRATCH/ops" --again
}

# Its last error is the reason.
run_installer() {
  local said=$SCRATCH/said reason
  bash "$1/instance/install-release.sh" --env "$ENV_FILE" "${@:2}" 2>&1 | tee "$said" || {
    reason=$(grep '^install-release: error: ' "$said" | tail -n 1) || true
    fail "the release cannot be installed: ${reason#install-release: error: }"
  }
}

start_service() {
  local ops=$SERVICE_HOME/current/ops
  bash "$ops/instance/configure.sh" --env "$ENV_FILE"
  systemctl daemon-reload
  systemctl enable supervisor
  # One that answers here runs this service already, and a restart would stop every worker at once.
  supervisorctl -s "unix://$ROOT/run/$SERVICE/supervisor.sock" pid >/dev/null 2>&1 || systemctl restart supervisor
  DIGEST=$(basename "$(readlink "$SERVICE_HOME/current")")
  python3 -I "$ops/instance/await_health.py" --host 127.0.0.1 --port "$PORT" --digest "$DIGEST" --seconds "$HEALTH_SECONDS" ||
    {
      journalctl --unit supervisor --lines 20 --no-pager || true
      tail -n 40 "$ROOT/var/log/$SERVICE"/*.log || true
      fail "release $DIGEST is not healthy after $HEALTH_SECONDS s"
    }
  # Now that it runs: every worker is asked, and the release noted as one to go back to.
  run_installer "$ops" --to "$DIGEST"
  systemctl enable --now cfn-hup
}

# Last: until here a failure is reported whole, by `report`, into a stream of the agent's.
# cloud-init keeps its output from the agent's user; the other files may be read by everybody.
start_agent() {
  local output=$ROOT/var/log/cloud-init-output.log
  [[ ! -e $output ]] || chgrp cwagent "$output"
  "$AGENT_CTL" -a fetch-config -m ec2 -s -c "file:$ROOT/etc/$SERVICE/amazon-cloudwatch-agent.json" ||
    fail "Amazon's CloudWatch agent does not start"
}

bootstrap() {
  trap 'say "error: line $LINENO: $BASH_COMMAND"' ERR
  SCRATCH=$(mktemp -d) || fail "cannot make a folder in ${TMPDIR:-/tmp}; is the disk full?"
  trap 'rm -rf "$SCRATCH"' EXIT
  check_settings
  install_packages
  install_cfn_scripts
  install_agent
  write_environment
  read_pointer
  fetch_artifact
  install_release
  start_service
  start_agent
  say "$SERVICE serves release $DIGEST on port $PORT"
}

# The signal carries no text, so the log goes where `provision` and an operator find it; its last
# line is the reason. Without a file, as the disk may be full.
report() {
  local stream=$1/bootstrap
  timeout 60 aws logs create-log-stream --log-group-name "$LOG_GROUP" --log-stream-name "$stream" || true
  tail -c 8000 "$LOG" | python3 -I -c '
import json, sys, time
text = sys.stdin.buffer.read().decode("utf-8", "replace") or "The log is empty; is the disk full?"
json.dump([{"timestamp": int(time.time() * 1000), "message": text}], sys.stdout)' |
    timeout 60 aws logs put-log-events --log-group-name "$LOG_GROUP" --log-stream-name "$stream" \
      --log-events file:///dev/stdin >/dev/null || say "the log did not reach $LOG_GROUP"
}

# Refused when nobody waits for it (a later scale-out, a run by hand): that is no failure.
signal() {
  retry timeout 60 aws cloudformation signal-resource --region "$REGION" --stack-name "$STACK" \
    --logical-resource-id "$FLEET" --unique-id "$2" --status "$1" ||
    say "the signal $1 did not reach CloudFormation, or nothing waits for it"
}

_main() {
  local status instance
  umask 022
  install -d "${LOG%/*}"
  set +e
  (
    set -e
    bootstrap
  ) 2>&1 | tee "$LOG"
  status=${PIPESTATUS[0]}
  set -e
  if ((status == 0)); then
    signal SUCCESS "$(sed -n 's/^SERVICE_INSTANCE=//p' "$ENV_FILE")"
  else
    [[ ! -w /dev/console || -n $ROOT ]] || tail -n 20 "$LOG" >/dev/console || true
    instance=$(imds instance-id) || fail "the metadata service does not answer: no log is sent and no signal"
    command -v aws >/dev/null || fail "the AWS CLI is not there yet: no log is sent and no signal"
    report "$instance"
    signal FAILURE "$instance"
  fi
  return "$status"
}

_main "$@"
