#!/usr/bin/env bash
# First boot of an instance: from a bare Debian or Ubuntu image to a release that serves.
#
# Run once, as root, by cloud-init; safe to run again by hand. It names no artifact: which release
# to install stands in the metadata of the fleet's resource, so this text, and with it the launch
# template, stays the same from release to release.
#
# Filled in when the template is built: service, fleet, port, python, log_group, bootstrap_url,
# bootstrap_sha256. Filled in by CloudFormation: the stack's name and the region.
# TWOFOLD_ROOT and TWOFOLD_USER serve the tests: another root, another user than twofold.
set -Eeuo pipefail

readonly SERVICE='{{ service }}'
readonly STACK='{"Ref": "AWS::StackName"}'
readonly REGION='{"Ref": "AWS::Region"}'
readonly FLEET='{{ fleet }}'
readonly PORT='{{ port }}'
readonly PYTHON='{{ python }}'
readonly LOG_GROUP='{{ log_group }}'
# AWS's helper scripts (cfn-hup); without a sha256 they are checked by form and come by https only.
readonly BOOTSTRAP_URL='{{ bootstrap_url }}'
readonly BOOTSTRAP_SHA256='{{ bootstrap_sha256 }}'

readonly ROOT=${TWOFOLD_ROOT:-}
readonly RUN_AS=${TWOFOLD_USER:-twofold}
readonly SERVICE_HOME=$ROOT/opt/$SERVICE
readonly ENV_FILE=$ROOT/etc/$SERVICE/instance.env
readonly LOG=$ROOT/var/log/$SERVICE-bootstrap.log
readonly CFN_SCRIPTS=$ROOT/opt/aws/cfn-bootstrap
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
    say "attempt $attempt of 5 failed: $1"
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
}

imds() {
  local token
  token=$(curl -fsS --retry 5 --max-time 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' "$IMDS/api/token")
  curl -fsS --retry 5 --max-time 5 -H "X-aws-ec2-metadata-token: $token" "$IMDS/meta-data/$1"
}

# Without the error mode `update` exits with 0 when an index cannot be fetched.
apt() { apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=5 -o APT::Update::Error-Mode=any -qq "$@"; }

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

# Debian refuses pip beside its own packages (PEP 668), so the scripts get an environment of their own.
install_cfn_scripts() {
  local folder
  [[ ! -x $CFN_SCRIPTS/bin/cfn-hup ]] || return 0
  folder=$(mktemp -d)
  [[ -n $BOOTSTRAP_SHA256 || $BOOTSTRAP_URL == https://* ]] ||
    fail "'$BOOTSTRAP_URL' is not https; give bootstrap_sha256 with it"
  retry curl -fsSL --max-time 120 -o "$folder/scripts.tar.gz" "$BOOTSTRAP_URL" || fail "cannot fetch $BOOTSTRAP_URL"
  check_cfn_scripts "$folder/scripts.tar.gz"
  rm -rf "$CFN_SCRIPTS"
  python3 -m venv "$CFN_SCRIPTS"
  retry "$CFN_SCRIPTS/bin/python" -m pip install --quiet --no-input --disable-pip-version-check \
    "$folder/scripts.tar.gz" || fail "cannot install AWS's helper scripts from $BOOTSTRAP_URL"
  [[ -x $CFN_SCRIPTS/bin/cfn-hup ]] || fail "$BOOTSTRAP_URL brought no cfn-hup"
  rm -rf "$folder"
}

check_cfn_scripts() {
  local names found
  found=$(sha256sum "$1" | cut -d ' ' -f 1)
  [[ -z $BOOTSTRAP_SHA256 || $found == "$BOOTSTRAP_SHA256" ]] ||
    fail "sha256 of AWS's helper scripts is $found, expected $BOOTSTRAP_SHA256"
  names=$(tar -tzf "$1") || fail "$BOOTSTRAP_URL is no tar.gz"
  if grep -Evq '^aws-cfn-bootstrap-2\.[0-9]+(-[0-9]+)?(/|$)' <<<"$names" ||
    grep -Eq '(^|/)\.\.(/|$)' <<<"$names" || ! grep -Eq '^[^/]+/bin/cfn-hup$' <<<"$names"; then
    fail "$BOOTSTRAP_URL does not hold aws-cfn-bootstrap 2.x (sha256 $found)"
  fi
}

write_environment() {
  local role
  role=$(imds iam/security-credentials/) || fail "the instance has no role; give the launch template an instance profile"
  id "$RUN_AS" >/dev/null 2>&1 ||
    useradd --system --user-group --home-dir "/var/lib/$SERVICE" --shell /usr/sbin/nologin "$RUN_AS"
  install -d -m 0755 "${ENV_FILE%/*}" "$SERVICE_HOME"
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
AWS_REGION=$REGION
AWS_DEFAULT_REGION=$REGION
ENV
  mv -T "$ENV_FILE.next" "$ENV_FILE"
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
  local folder
  folder=$(mktemp -d)
  unzip -q "$ARTIFACT" 'ops/*' -d "$folder"
  bash "$folder/ops/instance/install-release.sh" --env "$ENV_FILE" || fail "the release cannot be installed"
  rm -rf "$folder"
}

start_service() {
  local ops=$SERVICE_HOME/current/ops digest
  bash "$ops/instance/configure.sh" --env "$ENV_FILE"
  systemctl daemon-reload
  systemctl enable supervisor
  systemctl restart supervisor
  digest=$(basename "$(readlink "$SERVICE_HOME/current")")
  python3 -I "$ops/instance/await_health.py" --host 127.0.0.1 --port "$PORT" --digest "$digest" --seconds "$HEALTH_SECONDS" ||
    {
      journalctl --unit supervisor --lines 20 --no-pager || true
      tail -n 40 "$ROOT/var/log/$SERVICE"/*.log || true
      fail "release $digest is not healthy after $HEALTH_SECONDS s"
    }
  # Now that it runs: every worker is asked, and the release noted as one to go back to.
  bash "$ops/instance/install-release.sh" --env "$ENV_FILE" || fail "not every worker of release $digest is healthy"
  systemctl enable --now cfn-hup
}

bootstrap() {
  trap 'say "error: line $LINENO: $BASH_COMMAND"' ERR
  check_settings
  install_packages
  install_cfn_scripts
  write_environment
  read_pointer
  fetch_artifact
  install_release
  start_service
  say "$SERVICE serves on port $PORT"
}

# The signal carries no text, so the reason goes where `provision` and an operator find it.
report() {
  local stream=$1/bootstrap events
  [[ ! -w /dev/console || -n $ROOT ]] || tail -n 20 "$LOG" >/dev/console || true
  [[ -n $LOG_GROUP ]] || return 0
  events=$(mktemp)
  tail -c 8000 "$LOG" | python3 -I -c '
import json, sys, time
text = sys.stdin.buffer.read().decode("utf-8", "replace")
json.dump([{"timestamp": int(time.time() * 1000), "message": text}], sys.stdout)' >"$events"
  aws logs create-log-stream --log-group-name "$LOG_GROUP" --log-stream-name "$stream" || true
  aws logs put-log-events --log-group-name "$LOG_GROUP" --log-stream-name "$stream" --log-events "file://$events" >/dev/null || true
  rm -f "$events"
}

# Refused when nobody waits for it (a later scale-out, a run by hand): that is no failure.
signal() {
  retry aws cloudformation signal-resource --region "$REGION" --stack-name "$STACK" \
    --logical-resource-id "$FLEET" --unique-id "$2" --status "$1" ||
    say "CloudFormation did not take the signal $1; nothing waits for it when the stack is not being changed"
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
  instance=$(imds instance-id)
  ((status == 0)) || report "$instance"
  if ((status == 0)); then signal SUCCESS "$instance"; else signal FAILURE "$instance"; fi
  return "$status"
}

_main "$@"
