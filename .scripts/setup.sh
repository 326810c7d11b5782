#!/usr/bin/env bash
# First installation: Python packages, then the converge. Every option of pyinfra may follow.
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

options=()
for word in "$@"; do
    case $word in
    --demo) demo=yes ;;
    -h | --help)
        echo "usage: ./main.sh setup [--demo] [options of pyinfra, such as --dry or --data KEY=VALUE]"
        exit 0
        ;;
    *) options+=("$word") ;;
    esac
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
else
    "$root/main.sh" ensure-venv
fi

# pyinfra writes no bytecode; compiled once, every run saves a tenth of a second.
.venv/bin/python -m compileall -q tasks

# Without a terminal nobody can answer pyinfra's question.
[[ -t 0 || " ${options[*]-} " == *" --dry "* || " ${options[*]-} " == *" -y "* ]] || options+=(-y)
exec .venv/bin/pyinfra @local deploys/stack.py ${options[@]+"${options[@]}"}
