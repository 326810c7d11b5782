#!/usr/bin/env bash
# Check an installation with testinfra: a table, and 0 (all well), 1 (not) or 2 (wrong use).
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
python=$root/.venv/bin/python

case ${1-} in
-h | --help)
    cat <<'TEXT'
usage: .scripts/verify-install.sh [options of pytest and testinfra]

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
elif ! "$python" -c 'import testinfra' 2>/dev/null; then
    echo "verify-install.sh: testinfra is not in .venv; remedy: $root/main.sh verify" >&2
    exit 2
fi

status=0
# -P: the folder where this is called has no say in what is imported.
"$python" -P -m pytest -c "$root/pyproject.toml" --rootdir "$root" -p no:cacheprovider --table \
    "$root/tests/verify" "$@" || status=$?
# pytest: 2 interrupted, 3 its own error, 4 wrong use, 5 no test chosen.
case $status in
0 | 1) exit "$status" ;;
2) exit 130 ;;
4 | 5) exit 2 ;;
*) exit 1 ;;
esac
