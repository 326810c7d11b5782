#!/usr/bin/env bash
# Check what an installation needs, then the installation with testinfra: a table, and 0 (all well),
# 1 (not) or 2 (wrong use). The work is the console's.
set -euo pipefail
root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)
python=$root/.venv/bin/python

case ${1-} in
-h | --help)
    cat <<'TEXT'
usage: .scripts/verify-install.sh [--json] [options of pytest and testinfra]

First what is needed: Python, its packages, a valid declaration, curl, Docker for this user, and
the NVIDIA driver where the declaration requires the GPU. Then every service, with testinfra.

  --json                        one JSON document on stdout; see docs/json.md
  --hosts=ssh://user@host       another machine than this one
  --ssh-identity-file=FILE      the key for it
  --host-name=NAME              what the inventory calls it, where that is another name
  -k qwen                       only the checks with this word
STACK_FILE names another stack.toml.
TEXT
    exit 0
    ;;
esac

if [[ ! -x $python ]]; then
    echo "verify-install.sh: there is no .venv yet; remedy: $root/main.sh setup" >&2
    exit 2
fi
exec "$python" -P "$root/main.py" verify "$@"
