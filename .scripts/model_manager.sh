#!/usr/bin/env bash
# The models and their states: what there is, switched on and off, by the same verbs as main.sh.
set -euo pipefail
root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)

usage() {
    cat <<'TEXT'
usage: .scripts/model_manager.sh COMMAND

  list [--json]         the services with their models, as they are now (also: status)
  activate SERVICE…     declare services active and bring them up (--all: every one)
  deactivate SERVICE…   declare them inactive and stop them; their models are kept
  pull SERVICE MODEL    a further model of a service
  sync                  write what is there now into the database
  history [SERVICE]     what was changed here, when and why
  database              where the database is
  query SQL             one query of the database, that can only read

Each command has its own --help; all but "database" take --json.
TEXT
}

case ${1-} in
-h | --help | help) usage ;;
list) shift; exec "$root/main.sh" status "$@" ;;
database) shift; exec "$root/main.sh" db path "$@" ;;
query) shift; exec "$root/main.sh" db query "$@" ;;
status | activate | deactivate | pull | sync | history) exec "$root/main.sh" "$@" ;;
*)
    [[ ${1-} ]] && echo "model_manager.sh: there is no command '$1'" >&2
    usage >&2
    exit 2
    ;;
esac
