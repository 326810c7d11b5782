#!/usr/bin/env bash
# First installation: Python packages, then the converge. Every option of pyinfra may follow.
set -euo pipefail
root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)
cd "$root"

usage="usage: ./main.sh setup [--demo] [--dry] [-y] [--data KEY=VALUE]… [options of pyinfra]"
tell_usage() {
    cat <<TEXT
$usage

  --demo               on the lab: no GPU, no downloads of models; first of all the lab is made
  --dry                show what would be done, step by step; change nothing
  -y                   do not ask before anything changes (without a terminal nobody is asked)
  --data KEY=VALUE     a setting for this run only, like gpu=off or only=qwen
  -v, --limit …        and the other options of pyinfra: .venv/bin/pyinfra --help
TEXT
}

wrong() {
    echo "setup: $1" >&2
    echo "$usage" >&2
    exit 2
}

options=()
while (($#)); do
    case $1 in
    --demo) demo=yes ;;
    -h | --help) tell_usage; exit 0 ;;
    --data)
        [[ ${2-} == ?*=* ]] || wrong "--data wants KEY=VALUE, like --data only=qwen"
        options+=("$1" "$2")
        shift
        ;;
    -*) options+=("$1") ;;
    *) wrong "there is no option '$1'" ;;
    esac
    shift
done

if [[ ${demo-} ]]; then
    "$root/main.sh" ensure-venv requirements-dev.lock
    .venv/bin/python -m lab up
    declared=$(.venv/bin/python -c 'from lab.state import stack_file; print(stack_file())')
    if [[ -e stack.toml ]] && ! cmp -s "$declared" stack.toml; then
        echo "setup: stack.toml exists and is not the demo's; the demo does not touch it." >&2
        echo "  remedy: move it away (mv stack.toml stack.toml.mine), then run this again" >&2
        exit 2
    fi
    cp "$declared" stack.toml
    # Root in another's checkout leaves it to its owner.
    ((EUID)) || chown --reference=. stack.toml
else
    "$root/main.sh" ensure-venv
fi

# An invalid declaration ends with 2; pyinfra by itself would end with 1.
.venv/bin/python - <<'PYTHON' || exit 2
import sys
from tasks.declared.layers import local_layers
from tasks.declared.stack import DeclarationError, declare

try:
    declare(local_layers())
except DeclarationError as error:
    sys.exit(str(error))
PYTHON

# pyinfra writes no bytecode; compiled once, every run saves a tenth of a second.
[[ ! -O . ]] || .venv/bin/python -m compileall -q tasks

# Without a terminal nobody can answer pyinfra's question.
[[ -t 0 || " ${options[*]-} " == *" --dry "* || " ${options[*]-} " == *" -y "* ]] || options+=(-y)
exec .venv/bin/python -m console.run_pyinfra @local deploys/stack.py ${options[@]+"${options[@]}"}
