# shellcheck shell=bash
# The variables of this instance: /etc/NAME/instance.env, or the process environment.

load_environment() {
  local file=$1
  [[ -n $file ]] || file=$(file_of_this_installation)
  if [[ -n $file ]]; then
    [[ -r $file ]] || { error "cannot read '$file'. Pass --env FILE" && exit 2; }
    read_variables "$file"
  fi
  # Where the AWS CLI is when a snap brought it; cfn-hup passes a short PATH.
  export PATH="$PATH:/usr/local/bin:/usr/bin:/bin:/snap/bin"
  : "${SERVICE_HEALTH_SECONDS:=60}" "${SERVICE_TRIAL_SECONDS:=5}" "${SERVICE_SETTLE_SECONDS:=2}"
  require SERVICE_NAME SERVICE_HOME SERVICE_RUN SERVICE_USER SERVICE_PYTHON \
    SERVICE_HOST SERVICE_PORT SERVICE_STACK SERVICE_FLEET AWS_REGION
}

# NAME=value as it stands, as systemd has it; nothing of a value is run.
read_variables() {
  local line
  while IFS= read -r line || [[ -n $line ]]; do
    [[ ! $line =~ ^[A-Za-z_][A-Za-z0-9_]*= ]] || export "${line?}"
  done <"$1"
}

# /opt/NAME/releases/SHA256/ops/instance -> /etc/NAME/instance.env
file_of_this_installation() {
  local file
  [[ ${here:?} =~ ^(/.*)/releases/[0-9a-f]{64}/ops/instance$ ]] || return 0
  file=/etc/$(basename "${BASH_REMATCH[1]}")/instance.env
  [[ ! -r $file ]] || printf '%s' "$file"
}

require() {
  local name missing=()
  for name in "$@"; do [[ -n ${!name:-} ]] || missing+=("$name"); done
  ((${#missing[@]} == 0)) && return
  error "${missing[*]} not set. Set them in the file given with --env; ops/README.md says what they mean"
  exit 2
}
