"""Packages on a host: installed without questions, locks waited for, repositories tried first."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterable

from tasks.docker_engine.apt import (
    HOLDERS_SCRIPT,
    LOCK_SECONDS,
    apt_get,
    explain,
    lock_holders,
    locked_remedy,
    script,
)
from tasks.docker_engine.openpgp import NotAKey, fingerprints
from tasks.docker_engine.pins import chosen, offered, shown
from tasks.docker_engine.sources import Repository
from tasks.run import Run
from tasks.shell import Result
from tasks.steps import StepFailed

UPDATE_SECONDS = 300
INSTALL_SECONDS = 1800
POLL_SECONDS = 3.0
# An update that fails must say so: without this apt takes old lists and ends with 0.
STRICT = ("-o", "APT::Update::Error-Mode=any")


class RepositoryFailed(Exception):
    """A repository cannot be used; nothing on the host was changed. The text says why."""

    def __init__(self, cause: str, remedy: str = "make it reachable (http_proxy?)") -> None:
        super().__init__(cause)
        self.remedy = remedy


def install(run: Run, packages: Iterable[str]) -> None:
    """Install packages from the sources that are there; never removes one. Raises StepFailed."""
    names = tuple(packages)
    install_known(run, names, update_lists(run))


def update_lists(run: Run) -> Result:
    """Read the package lists anew. Raises StepFailed where a lock is held."""
    wait_for_locks(run)
    run.log("  reading the package lists")
    return _apt(run, apt_get("update"), timeout=UPDATE_SECONDS)


def pinned(run: Run, names: Iterable[str], pin: str, setting: str) -> tuple[str, ...]:
    """Return packages with the version that a pin means of the first of them; as they are for "".

    Raises StepFailed with what apt offers, where it has no such version.
    """
    all_names = tuple(names)
    if not pin:
        return all_names
    first = all_names[0]
    versions = offered(run.sh(script(f"apt-cache madison {first}")).stdout.splitlines())
    version = chosen(versions, pin)
    if not version:
        raise StepFailed(
            f"the package sources have no {first} {pin}; they have: {shown(versions)}",
            f'declare one of these as {setting}, or "" for the newest',
        )
    return tuple(f"{name}={version}" for name in all_names)


def simulate(run: Run, names: tuple[str, ...]) -> Result:
    """Return what an installation would do, in apt-get's words; nothing is changed."""
    options = ("--simulate", "--no-install-recommends")
    return _apt(run, apt_get("install", *names, options=options), timeout=UPDATE_SECONDS)


def install_known(
    run: Run, names: tuple[str, ...], update: Result | None = None, *, may_remove: bool = False
) -> None:
    """Install packages from the lists that are there. Raises StepFailed.

    `may_remove` is for who has looked by `simulate` at what would be removed.
    """
    run.log(f"  installing {', '.join(names)}")
    wait_for_locks(run)
    options = () if may_remove else ("--no-remove",)
    command = apt_get("install", *names, options=(*options, "--no-install-recommends"))
    result = _apt(run, command, timeout=INSTALL_SECONDS)
    if result.ok:
        return
    output = f"{result.stderr}\n{result.stdout}"
    if update is not None and not update.ok:
        # Old lists explain why a package is not found.
        output = f"{update.stderr}\n{output}"
    cause, remedy = explain(output)
    raise StepFailed(cause, remedy)


def _apt(run: Run, *commands: str, timeout: float, stdin: str = "") -> Result:
    return run.sh(script(*commands), stdin=_proxies(run) + stdin, timeout=timeout)


def _proxies(run: Run) -> str:
    stack = run.stack
    return f"{stack.http_proxy}\n{stack.https_proxy}\n{stack.no_proxy}\n"


def wait_for_locks(run: Run, seconds: float = LOCK_SECONDS) -> None:
    """Wait until nobody holds a lock of apt or dpkg, and say who does. Raises StepFailed."""
    end = time.monotonic() + seconds
    is_told = False
    while holders := lock_holders(run.sh(HOLDERS_SCRIPT).stdout.splitlines()):
        if time.monotonic() >= end:
            cause = f"{holders[0]}, for more than {seconds:.0f} s"
            raise StepFailed(cause, locked_remedy(holders[0].pid))
        if not is_told:
            run.log(f"  waiting up to {seconds:.0f} s: {holders[0]}")
            is_told = True
        time.sleep(POLL_SECONDS)


def use_repository(run: Run, repository: Repository, packages: Iterable[str]) -> None:
    """Add a repository once it is proven: its key, its suite, and the packages themselves.

    Everything is tried in a temporary folder, packages are downloaded and not installed; only then
    the repository's files are put in place. Raises RepositoryFailed, StepFailed (locks).
    """
    wait_for_locks(run)
    names = tuple(packages)
    if _is_configured(run, repository):
        run.log(f"  {repository.url} is among the package sources already")
        result = _apt(run, apt_get("update"), _download(names), timeout=INSTALL_SECONDS)
    else:
        key = _key(run, repository)
        run.log(f"  trying {repository.url}, suite {repository.suite}")
        result = _apt(run, _trial(repository, names), timeout=INSTALL_SECONDS, stdin=key)
    if not result.ok:
        raise RepositoryFailed(*explain(f"{result.stderr}\n{result.stdout}"))


def _is_configured(run: Run, repository: Repository) -> bool:
    """Tell whether any list names it; an upgrade of Ubuntu turns others' lists into comments."""
    url = shlex.quote(repository.url)
    words = "grep -rhsv '^[[:space:]]*#' /etc/apt/sources.list /etc/apt/sources.list.d"
    # As NVIDIA writes it in its own list.
    words += ' | sed "s/\\$(ARCH)/$(dpkg --print-architecture)/g"'
    found = run.sh(f"{words} | tr -s ' \\t' '\\n' | grep -qxF -e {url} -e {url}/ && echo yes; true")
    return found.stdout.strip() == "yes"


def _key(run: Run, repository: Repository) -> str:
    """Fetch the repository's key and check that it is this one, and nothing else beside it."""
    url = shlex.quote(repository.key_url)
    fetch = f"timeout 60 curl -fsSL --connect-timeout 10 --max-time 40 {url}"
    result = _apt(run, fetch, timeout=90)
    if not result.ok:
        raise RepositoryFailed(f"its key cannot be fetched ({result.last_words})")
    try:
        found = fingerprints(result.stdout)
    except NotAKey as error:
        raise RepositoryFailed(f"{repository.key_url} is no key: {error}") from None
    if found != [repository.fingerprint]:
        raise RepositoryFailed(
            f"{repository.key_url} has the fingerprint {', '.join(found)}, "
            f"expected is {repository.fingerprint}: do not trust it",
            f"if its owner tells of a new key, name that as {repository.key_setting}",
        )
    return result.stdout + "\n"


def _download(names: tuple[str, ...], *options: str) -> str:
    wanted = ("--download-only", "--no-remove", "--no-install-recommends", *options)
    return apt_get("install", *names, options=wanted)


def _trial(repository: Repository, names: tuple[str, ...]) -> str:
    """Build the script of the trial; the key is the rest of its standard input.

    The first update reads the new repository alone, so that it is the one to blame. The shell
    fills in the temporary folder, whose name mktemp keeps free of odd characters.
    """
    source = repository.deb822("@KEY@")
    file = f"{repository.name}.sources"
    alone = ("-o", "Dir::Etc::sourcelist=@D@/new.sources", "-o", "Dir::Etc::sourceparts=/dev/null")
    update = apt_get("update", options=(*STRICT, *alone, "-o", "APT::Get::List-Cleanup=0"))
    download = _download(names, "-o", "Dir::Etc::sourceparts=@D@/all")
    return f"""d=$(mktemp -d)
trap 'rm -rf "$d"' EXIT
chmod 755 "$d"
cat >"$d/key.asc"; chmod 644 "$d/key.asc"
mkdir "$d/all"
cp -p /etc/apt/sources.list.d/* "$d/all/" 2>/dev/null || true
printf %s {shlex.quote(source)} | sed "s#@KEY@#$d/key.asc#" >"$d/all/{file}"
cp "$d/all/{file}" "$d/new.sources"
{update.replace("@D@", "$d")}
{download.replace("@D@", "$d")}
mkdir -p /etc/apt/keyrings
install -m 644 "$d/key.asc" {repository.key_file}
printf %s {shlex.quote(repository.deb822())} >{repository.file}.new
chmod 644 {repository.file}.new
mv {repository.file}.new {repository.file}"""
