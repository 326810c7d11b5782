#!/usr/bin/env bash
# The one command: sets itself up where that is due, then hands over. `./main.sh help` lists all.
set -euo pipefail
root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd)

usage() {
    cat <<'TEXT'
usage: ./main.sh [COMMAND]

  setup [--demo]       install what is missing and converge this machine
                       --demo: on the lab, without GPU and without model downloads
                       --dry: show what would be done, change nothing
  status [--json]      what is there now (also without a command)
  plan [--budget GB]   what the models take of the GPU's memory, and which fit together
  activate SERVICE     declare a service active and bring it up
  deactivate SERVICE   declare it inactive and stop it; its models are kept
  restart SERVICE      stop and start it, and prove it by a generation
  pull SERVICE MODEL [--use]
                       a further model of a service (--use: its main one)
  chat SERVICE [PROMPT]
                       try a service
  upgrade [SERVICE] [--dry] [--image|--models] [--to TAG]
                       move to what the registries offer; what fails is put back by itself
  rollback [SERVICE] [--dry] [--image|--models]
                       back to what was proven before, without network
  doctor [--json] [--bundle [FILE]]
                       check everything, with a real generation for each service
                       --bundle: write what helps to find a fault, without secrets, into one file
  logs SERVICE [-f]    the log of a service
  history [SERVICE]    what was changed here, when and why
  db path              where the database is
  completion SHELL     eval "$(./main.sh completion bash)"
  sync                 write what is there now into the database
  verify               check the installation with testinfra
  test                 everything that CI runs: ruff, mypy, unit tests, tests on the lab
  lab up|down|status   the lab: a real Docker stack with tiny models, no internet needed
  help                 this text
  -v COMMAND           show on standard error what a command of the console does
TEXT
}

# Make .venv where it is missing or older than the requirements; say nothing where it is fine.
# $1: the lock file. Its checksum, kept inside .venv, tells whether anything has to be done.
ensure_venv() {
    local lock=$root/$1 stamp=$root/.venv/.installed-$1 sum
    sum=$(sha256sum <"$lock")
    [[ -x $root/.venv/bin/python && -f $stamp && $(<"$stamp") == "$sum" ]] && return
    # The developers' lock holds all of the users' one.
    if [[ $1 == requirements.lock && -f $root/.venv/.installed-requirements-dev.lock ]] &&
        [[ $(<"$root/.venv/.installed-requirements-dev.lock") == "$(sha256sum <"$root/requirements-dev.lock")" ]]; then
        return
    fi
    if command -v uv >/dev/null; then
        echo "Install Python packages into .venv with uv" >&2
        [[ -x $root/.venv/bin/python ]] || uv venv --quiet --python '>=3.11' "$root/.venv"
        uv pip install --quiet --python "$root/.venv/bin/python" --require-hashes -r "$lock"
    else
        echo "Install Python packages into .venv with pip (a minute the first time)" >&2
        make_venv_with_pip
        "$root/.venv/bin/python" -m pip install --quiet --disable-pip-version-check \
            --require-hashes -r "$lock"
    fi
    rm -f "$root"/.venv/.installed-*
    printf '%s\n' "$sum" >"$stamp"
}

make_venv_with_pip() {
    [[ -x $root/.venv/bin/python ]] && return
    local python
    for python in python3 python3.13 python3.12 python3.11; do
        if command -v "$python" >/dev/null &&
            "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
            "$python" -m venv "$root/.venv" && return
            rm -rf "$root/.venv"
            echo "main.sh: Python cannot make a virtual environment here." >&2
            echo "  remedy: sudo apt-get install python3-venv, then run this again" >&2
            exit 1
        fi
    done
    echo "main.sh: there is no Python 3.11 or newer on this machine." >&2
    echo "  remedy: sudo apt-get install python3 python3-venv, or install uv; then run this again" >&2
    exit 1
}

run_tests() {
    ensure_venv requirements-dev.lock
    cd "$root"
    local python=.venv/bin/python
    "$python" -m ruff check . && "$python" -m ruff format --check .
    "$python" -m mypy
    "$python" -m pytest "$@"
}

case ${1-} in
help | -h | --help) usage ;;
setup) shift; exec "$root/.scripts/setup.sh" "$@" ;;
test) shift; run_tests "$@" ;;
verify) shift; ensure_venv requirements-dev.lock; exec "$root/.scripts/verify-install.sh" "$@" ;;
lab)
    shift
    ensure_venv requirements-dev.lock
    cd "$root"
    exec "$root/.venv/bin/python" -m lab "$@"
    ;;
ensure-venv) ensure_venv "${2-requirements.lock}" ;;
*)
    ensure_venv requirements.lock
    exec "$root/.venv/bin/python" "$root/main.py" "$@"
    ;;
esac
