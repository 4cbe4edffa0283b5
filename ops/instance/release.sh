# shellcheck shell=bash
# A release's folder: fetched, verified, unpacked, tried, pruned. Nothing here touches what serves.

readonly KEPT_RELEASES=3
readonly KEPT_FAILURES=10

release_folder() { printf '%s/releases/%s' "$SERVICE_HOME" "$1"; }

artifact_file() { printf '%s/downloads/%s.zip' "$SERVICE_HOME" "$1"; }

installed_releases() { find "$SERVICE_HOME/releases" -mindepth 1 -maxdepth 1 -type d -name '[0-9a-f]*' -printf '%f ' 2>/dev/null; }

sha256_of() { sha256sum "$1" | cut -d ' ' -f 1; }

# The name of a release folder promises that it is whole, so nothing is fetched for it.
fetch_release() {
  local digest=$1 file
  file=$(artifact_file "$digest")
  [[ ! -d $(release_folder "$digest") ]] || return 0
  [[ ! -f $file || $(sha256_of "$file") != "$digest" ]] || return 0
  mkdir -p "${file%/*}"
  download "s3://$POINTER_BUCKET/$POINTER_KEY" "$file.part"
  [[ $(sha256_of "$file.part") == "$digest" ]] || refuse_artifact "$digest" "$file.part"
  mv -T "$file.part" "$file"
}

download() {
  local attempt
  for attempt in 1 2 3 4 5; do
    aws s3 cp --region "$AWS_REGION" --only-show-errors "$1" "$2" && return
    rm -f "$2"
    ((attempt == 5)) || sleep "$((SERVICE_RETRY_SECONDS * attempt))"
  done
  fail "cannot fetch $1 after 5 attempts; keeping release $(short "$(linked current)")"
}

refuse_artifact() {
  local digest=$1 file=$2 found
  found=$(sha256_of "$file")
  rm -f "$file"
  remember_failure "$digest" "sha256 of artifact $(short "$found") does not match"
  fail "sha256 of artifact $(short "$found") does not match $(short "$digest"); keeping release $(short "$(linked current)")"
}

unpack_release() {
  local digest=$1 folder partial status=0
  folder=$(release_folder "$digest")
  [[ ! -d $folder ]] || return 0
  partial=${folder%/*}/.$digest.partial
  rm -rf "$partial"
  mkdir -p "$partial"
  python3 -I "${here:?}/unpack.py" "$(artifact_file "$digest")" "$partial" || status=$?
  if ((status)); then
    rm -rf "$partial"
    ((status != 65)) || remember_failure "$digest" "the artifact cannot be unpacked"
    fail "cannot unpack release $(short "$digest"); keeping release $(short "$(linked current)")"
  fi
  # After a power loss a folder with its final name must be whole.
  sync -f "$partial"
  mv -T "$partial" "$folder"
  rm -f "$(artifact_file "$digest")"
}

# As the workers will run it: their user, their interpreter, nothing but the release to import from.
check_imports() {
  local digest=$1 output
  output=$(cd "$(release_folder "$digest")" &&
    as_service_user env -u PYTHONPATH -u PYTHONHOME PYTHONDONTWRITEBYTECODE=1 SERVICE_MODE=instance \
      SERVICE_DIGEST="$digest" timeout "$SERVICE_IMPORT_SECONDS" \
      "$SERVICE_PYTHON" -S -c 'import service.handler, service.http_server' 2>&1 9>&-) && return
  remember_failure "$digest" "it does not import: ${output##*$'\n'}"
  error "release $(short "$digest") does not import under $SERVICE_PYTHON; keeping release $(short "$(linked current)"):"
  tail -n 20 <<<"$output" >&2
  prune_releases
  exit 1
}

as_service_user() {
  if [[ $(id -u) == 0 && $SERVICE_USER != root ]]; then
    setpriv --reuid "$SERVICE_USER" --regid "$(id -g "$SERVICE_USER")" --init-groups -- "$@"
  else
    "$@"
  fi
}

# A failure is remembered per digest and build ID: the same pointer is not tried at every poll of
# cfn-hup, a new `provision` of the same bytes is.
remember_failure() {
  mkdir -p "$SERVICE_HOME/failed"
  printf '%s\n%s\n' "${POINTER_BUILD:-}" "$2" >"$SERVICE_HOME/failed/$1"
}

remembered_failure() {
  [[ -f $SERVICE_HOME/failed/$1 && $(head -n 1 "$SERVICE_HOME/failed/$1") == "$2" ]]
}

failure_reason() { tail -n +2 "$SERVICE_HOME/failed/$1"; }

forget_failure() { rm -f "$SERVICE_HOME/failed/$1"; }

newest_first() { find "$1" -mindepth 1 -maxdepth 1 -name '[0-9a-f]*' -printf '%T@ %f\n' 2>/dev/null | sort -rn | cut -d ' ' -f 2; }

# Keeps the releases that `current` and `good` name and the newest others, three in all.
prune_releases() {
  local name kept
  rm -rf "$SERVICE_HOME"/releases/.*.partial "$SERVICE_HOME/downloads"
  kept=$({ linked current && linked good; } | sort -u | grep -c . || true)
  for name in $(newest_first "$SERVICE_HOME/releases"); do
    [[ $name != "$(linked current)" && $name != "$(linked good)" ]] || continue
    ((++kept <= KEPT_RELEASES)) || rm -rf "$(release_folder "$name")"
  done
  for name in $(newest_first "$SERVICE_HOME/failed" | tail -n "+$((KEPT_FAILURES + 1))"); do
    rm -f "$SERVICE_HOME/failed/$name"
  done
}
