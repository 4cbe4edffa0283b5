# shellcheck shell=bash
# A fault of this machine or of its network is no fault of the release, so it is tried again; but
# ever more seldom, because cfn-hup repeats a failing action at every interval.

# Seconds after the first failure in a row, the second, ...; the last one from then on.
readonly PAUSES=(0 60 180 420 900 1800)

clock() { date -u -d "@$1" '+%F %T UTC'; }

# The pointer, how often it was put off, until when, and on the second line why.
postponement_file() { printf '%s/postponed' "$SERVICE_HOME"; }

times_postponed() {
  local digest build times
  read -r digest build times _ 2>/dev/null <"$(postponement_file)" || true
  if [[ ${digest:-} == "${wanted:?}" && ${build:-} == "${POINTER_BUILD:--}" ]]; then printf '%s' "$times"; else printf 0; fi
}

postpone() {
  local reason=$1 times pause until file
  times=$(times_postponed)
  pause=${PAUSES[times < ${#PAUSES[@]} ? times : -1]}
  until=$((EPOCHSECONDS + pause))
  file=$(postponement_file)
  # A full disk may refuse even this; then nothing is put off.
  if printf '%s %s %s %s\n%s\n' "$wanted" "${POINTER_BUILD:--}" "$((times + 1))" "$until" "$reason" \
    2>/dev/null >"$file.next"; then put_in_place "$file.next" "$file"; fi
  fail "$reason" "A run from $(clock "$until") on tries again, install-release.sh --again at once"
}

leave_while_postponed() {
  local until reason
  [[ -z $again && $(times_postponed) != 0 ]] || return 0
  { read -r _ _ _ until && read -r reason; } <"$(postponement_file)"
  ((EPOCHSECONDS < until)) || return 0
  error "release $(short "$wanted") is put off until $(clock "$until"): $reason; $(kept). Try it now with install-release.sh --again"
  exit 1
}

forget_postponement() { rm -f "$(postponement_file)"; }
