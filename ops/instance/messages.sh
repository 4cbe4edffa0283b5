# shellcheck shell=bash
# One line a message, on standard error: under systemd the journal adds time and instance.

say() { printf 'install-release: %s\n' "$*" >&2; }

error() { say "error: $*"; }

short() { if [[ -n ${1:-} ]]; then printf '%s…' "${1:0:12}"; else printf 'none'; fi; }
