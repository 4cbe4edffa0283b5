# shellcheck shell=bash
# A release's folder: fetched, verified, unpacked, tried, pruned. Nothing here touches what serves.

readonly KEPT_RELEASES=3
readonly KEPT_FAILURES=10

release_folder() { printf '%s/releases/%s' "$SERVICE_HOME" "$1"; }

artifact_file() { printf '%s/downloads/%s.zip' "$SERVICE_HOME" "$1"; }

installed_releases() { find "$SERVICE_HOME/releases" -mindepth 1 -maxdepth 1 -type d -name '[0-9a-f]*' -printf '%f ' 2>/dev/null; }

sha256_of() { sha256sum "$1" | cut -d ' ' -f 1; }

# What killed runs left. A verified download of the release wanted is not fetched again.
remove_leftovers() {
  rm -rf "$SERVICE_HOME"/releases/.[0-9a-f]* "$SERVICE_HOME"/*.next "$SERVICE_HOME"/failed/.*.next
  [[ ! -d $SERVICE_HOME/downloads ]] || find "$SERVICE_HOME/downloads" -mindepth 1 ! -name "${wanted:?}.zip" -delete
}

# The name of a release folder promises that it is whole, so nothing is fetched for it.
fetch_release() {
  local digest=$1 file output
  file=$(artifact_file "$digest")
  [[ ! -d $(release_folder "$digest") ]] || return 0
  [[ ! -f $file || $(sha256_of "$file") != "$digest" ]] || return 0
  mkdir -p "${file%/*}"
  # Once: the AWS CLI repeats what is worth repeating, and cfn-hup repeats this run.
  output=$(aws s3 cp --region "$AWS_REGION" --only-show-errors "s3://$POINTER_BUCKET/$POINTER_KEY" "$file.part" 2>&1) || {
    rm -rf "${file%/*}"
    postpone "cannot fetch s3://$POINTER_BUCKET/$POINTER_KEY: ${output##*$'\n'}"
  }
  [[ $(sha256_of "$file.part") == "$digest" ]] || refuse_artifact "$digest" "$file.part"
  mv -T "$file.part" "$file"
}

refuse_artifact() {
  local digest=$1 file=$2 found
  found=$(sha256_of "$file")
  rm -f "$file"
  refuse "$digest" "sha256 of artifact $(short "$found") does not match"
}

unpack_release() {
  local digest=$1 folder partial output status=0
  folder=$(release_folder "$digest")
  [[ ! -d $folder ]] || return 0
  partial=${folder%/*}/.$digest.partial
  mkdir -p "$partial"
  output=$(python3 -I "${here:?}/unpack.py" "$(artifact_file "$digest")" "$partial" 2>&1) || status=$?
  if ((status)); then
    rm -rf "$partial" "$SERVICE_HOME/downloads"
    output="cannot unpack the artifact: ${output##*$'\n'}"
    if ((status == 65)); then refuse "$digest" "$output"; else postpone "$output"; fi
  fi
  put_in_place "$partial" "$folder"
  rm -f "$(artifact_file "$digest")"
}

# After a power loss, too, what has its final name is whole.
put_in_place() {
  sync -f "$1"
  mv -T "$1" "$2"
  sync "${2%/*}"
}

# Beside what serves: only a release that starts, answers and lasts becomes current. From then on
# its own installer brings the next one, or takes it back, so that must run as well.
try_release() {
  local digest=$1 output status=0
  say "trying release $(short "$digest")"
  output=$(exec bash "$(release_folder "$digest")/ops/instance/install-release.sh" --check 2>&1 9>&-) ||
    refuse "$digest" "its installer does not run: ${output##*$'\n'}"
  output=$(exec python3 -EsB "${here:?}/trial.py" --release "$(release_folder "$digest")" --user "$SERVICE_USER" \
    --seconds "$SERVICE_HEALTH_SECONDS" --stay "$SERVICE_TRIAL_SECONDS" --parent $$ 9>&-) || status=$?
  ((status)) || return 0
  ((status == 65)) || postpone "it cannot be tried: exit status $status${output:+, $output}"
  # shellcheck disable=SC2034  # read by outcome.sh
  FAILURE_LOG=${output#*$'\n'}
  refuse "$digest" "${output%%$'\n'*}"
}

# The release is at fault: this pointer is not tried again. But one that served well before has
# another reason to fail now, and may do later.
refuse() {
  [[ $1 != "$(linked good)" ]] || postpone "$2"
  remember_failure "$1" "$2"
  prune_releases
  fail "$2"
}

# A failure is remembered per digest and build ID: the same pointer is not tried at every poll of
# cfn-hup, the same bytes provisioned with another --build-id are.
# A full disk may refuse even this, and must not keep anybody from going back.
remember_failure() {
  local folder=$SERVICE_HOME/failed
  { mkdir -p "$folder" && printf '%s\n%s\n' "${POINTER_BUILD:-}" "$2" >"$folder/.$1.next" &&
    put_in_place "$folder/.$1.next" "$folder/$1"; } 2>/dev/null ||
    say "cannot note in $folder that release $(short "$1") failed; it will be tried again"
}

has_failed() { [[ -f $SERVICE_HOME/failed/$1 ]]; }

remembered_failure() { has_failed "$1" && [[ $(head -n 1 "$SERVICE_HOME/failed/$1") == "$2" ]]; }

failure_reason() { tail -n +2 "$SERVICE_HOME/failed/$1"; }

forget_failure() { rm -f "$SERVICE_HOME/failed/$1"; }

newest_first() { find "$1" -mindepth 1 -maxdepth 1 -name '[0-9a-f]*' -printf '%T@ %f\n' 2>/dev/null | sort -rn | cut -d ' ' -f 2; }

# Keeps the releases that `current` and `good` name and the newest others that did not fail, three
# in all.
prune_releases() {
  local name kept
  rm -rf "$SERVICE_HOME/downloads"
  kept=$({ linked current && linked good; } | sort -u | grep -c . || true)
  for name in $(newest_first "$SERVICE_HOME/releases"); do
    [[ $name != "$(linked current)" && $name != "$(linked good)" ]] || continue
    if has_failed "$name" || ((++kept > KEPT_RELEASES)); then remove_release "$name"; fi
  done
  for name in $(newest_first "$SERVICE_HOME/failed" | tail -n "+$((KEPT_FAILURES + 1))"); do
    rm -f "$SERVICE_HOME/failed/$name"
  done
}

# Its name promises that it is whole, up to the end.
remove_release() {
  mv -T "$(release_folder "$1")" "$SERVICE_HOME/releases/.$1.gone"
  rm -rf "$SERVICE_HOME/releases/.$1.gone"
}
