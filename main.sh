#!/usr/bin/env bash
# The one command: sets itself up where that is due, then hands over. `./main.sh help` lists all.
set -euo pipefail
root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd)

# Root in another's checkout leaves no files there that their owner could not remove.
[[ -O $root ]] || export PYTHONDONTWRITEBYTECODE=1
give_to_owner() {
    ((EUID)) || [[ -O $root ]] || chown --recursive --no-dereference --reference="$root" -- "$@"
}

usage() {
    cat <<'TEXT'
usage: ./main.sh [COMMAND]

  setup [--demo]       install what is missing and converge this machine
                       --demo: on the lab, without GPU and without model downloads
                       --dry: show what would be done, change nothing
  app [--inventory F]  the terminal app (also without a command)
  status [--watch]     what is there now, once or again and again (also without a command, where
                       there is no terminal)
  plan [--budget GB]   what the models take of the GPU's memory, and which fit together
  endpoint [SERVICE]   where services answer: base URLs and model names for clients
  connect [CLIENT…]    which editors and clients are here and connected; connect one by hand
                       --print: show its files; --remove: put files back as they were
  env SERVICE          eval "$(./main.sh env qwen)": this shell's ollama on one server
  tunnel HOST          the servers of another machine on this one's ports, by ssh
  activate SERVICE…    declare services active and bring them up (--all: every one)
  deactivate SERVICE…  declare them inactive and stop them; their models are kept
  restart SERVICE…     stop and start them, and prove each by a generation
  pull SERVICE MODEL [--use]
                       a further model of a service (--use: its main one)
  chat SERVICE [PROMPT]
                       try a service
  upgrade [SERVICE] [--dry] [--image|--models] [--to TAG]
                       move to what the registries offer; what fails is put back by itself
  rollback [SERVICE] [--dry] [--image|--models]
                       back to what was proven before, without network
  doctor [--bundle [FILE]]
                       check everything, with a real generation for each service
                       --bundle: write what helps to find a fault, without secrets, into one file
  logs SERVICE [-f]    the log of a service
  history [SERVICE]    what was changed here, when and why
  sync                 write what is there now into the database
  db path|query|open   where the database is; a query, or sqlite3's shell, that can only read
  verify               check what is needed, then the installation with testinfra
  completion SHELL     eval "$(./main.sh completion bash)" (or zsh, fish)
  help                 this text
  -v COMMAND           show on standard error what a command of the console does

for developers (CONTRIBUTING.md):
  test                 everything that CI runs: ruff, mypy, unit tests, tests on the lab
  lint                 what `test` begins with: ruff, its formatting, mypy, shellcheck
  lab up|down|status   the lab: a real Docker stack with tiny models, no internet needed
  bench [--keep]       how long a converge takes, against pyinfra alone, Ansible and Compose

COMMAND --help tells the rest. With --json there is one JSON document on stdout: docs/json.md.
Exit status: 0 done, 1 failed, 2 wrong use or an invalid declaration, 130 interrupted.
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
    give_to_owner "$root/.venv"
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

lint() {
    ensure_venv requirements-dev.lock
    cd "$root"
    local python=.venv/bin/python
    "$python" -m ruff check .
    "$python" -m ruff format --check .
    "$python" -m mypy
    .venv/bin/shellcheck main.sh .ci/run .scripts/*.sh
}

run_tests() {
    lint
    # Python starts a thousand times: what it compiled is kept, also where a CI says otherwise.
    [[ ! -O $root ]] || unset PYTHONDONTWRITEBYTECODE
    # Tests on the lab mostly wait: more of them run at once than there are processors.
    local word processes=5
    for word; do [[ $word != --quick ]] || processes=2; done
    .venv/bin/python -m pytest --numprocesses "$processes" --dist loadgroup --no-loadscope-reorder "$@"
}

# A shell completes: nothing may be installed or said meanwhile.
if [[ ${_MAIN_SH_COMPLETE-} ]]; then
    [[ -x $root/.venv/bin/python ]] || exit 0
    exec "$root/.venv/bin/python" "$root/main.py"
fi

case ${1-} in
help | -h | --help) usage ;;
setup) shift; exec "$root/.scripts/setup.sh" "$@" ;;
test)
    shift
    case ${1-} in
    -h | --help)
        cat <<'TEXT'
usage: ./main.sh test [--quick | --thorough] [options of pytest]

  ruff, mypy, then the tests: those that CI runs
  --quick     the unit tests alone: no Docker, no lab, under three minutes
  --thorough  also what CI leaves out: every kill, repetition and random run; some hours
TEXT
        ;;
    *) run_tests "$@" ;;
    esac
    ;;
lint)
    shift
    case ${1-} in
    "") lint ;;
    -h | --help) echo "usage: ./main.sh lint: ruff, its formatting, mypy and shellcheck" ;;
    *) echo "main.sh: lint takes no options" >&2; exit 2 ;;
    esac
    ;;
bench)
    shift
    ensure_venv requirements-dev.lock
    cd "$root"
    exec "$root/.venv/bin/python" -m bench "$@"
    ;;
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
