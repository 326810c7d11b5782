"""Apt repositories on a host: tried before they are added, with the pinned key and no other."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Iterable

from tasks.apt import messages
from tasks.apt.apt import apt_get, explain, is_unsigned
from tasks.apt.openpgp import LARGEST, Certificate, NotAKey, certificates
from tasks.apt.packages import INSTALL_SECONDS, run_apt, wait_for_locks
from tasks.apt.sources import Repository
from tasks.run.run import Run
from tasks.shell.curl import SAFE, plain_curl
from tasks.shell.local import Result
from tasks.words.failures import Failed
from tasks.words.messages import Text

# An update that fails must say so: without this apt takes old lists and ends with 0.
STRICT = ("-o", "APT::Update::Error-Mode=any")
_CURL = plain_curl(
    [*SAFE, "-fL", "--connect-timeout", "10", "--max-time", "40", "--max-filesize", str(LARGEST)]
)


class RepositoryFailed(Failed):
    """A repository cannot be used; nothing on the host was changed."""


def use_repository(run: Run, repository: Repository, packages: Iterable[str]) -> None:
    """Add a repository once it is proven: its key, its suite, and the packages themselves.

    Everything is tried in a temporary folder, packages are downloaded and not installed; only then
    the repository's files are put in place. One that we added before is added anew where its
    keyring is not the pinned key alone, or where that key does not fit any more.
    Raises RepositoryFailed, StepFailed (locks).
    """
    wait_for_locks(run)
    names = tuple(packages)
    if _is_configured(run, repository):
        keyring = _own_keyring(run, repository)
        if keyring is None or _holds(keyring, repository):
            run.teller.log(f"  {repository.url} is among the package sources already")
            result = run_apt(run, apt_get("update"), _download(names), timeout=INSTALL_SECONDS)
            if result.ok:
                return
            if keyring is None or not is_unsigned(_said(result)):
                raise RepositoryFailed.of(explain(_said(result)))
        run.teller.log(f"  reading the key of {repository.url} anew")
    _add(run, repository, names)


def _add(run: Run, repository: Repository, names: tuple[str, ...]) -> None:
    key, others = _key(run, repository)
    run.teller.log(f"  trying {repository.url}, suite {repository.suite}")
    trial = _trial(repository, names)
    result = run_apt(run, trial, timeout=INSTALL_SECONDS, stdin=key.armoured)
    if result.ok:
        return
    failure = explain(_said(result))
    if others and is_unsigned(_said(result)):
        keys = ", ".join(one.fingerprint for one in others)
        cause = messages.KEY_BESIDE(cause=failure.cause, url=repository.key_url, key=keys)
        raise RepositoryFailed(cause, _only_by_setting(repository))
    raise RepositoryFailed.of(failure)


def _said(result: Result) -> str:
    return f"{result.stderr}\n{result.stdout}"


def _is_configured(run: Run, repository: Repository) -> bool:
    """Tell whether any list names it; an upgrade of Ubuntu turns others' lists into comments."""
    url = shlex.quote(repository.url)
    words = "grep -rhsv '^[[:space:]]*#' /etc/apt/sources.list /etc/apt/sources.list.d"
    # As NVIDIA writes it in its own list.
    words += ' | sed "s/\\$(ARCH)/$(dpkg --print-architecture)/g"'
    found = run.shell.sh(
        f"{words} | tr -s ' \\t' '\\n' | grep -qxF -e {url} -e {url}/ && echo yes; true"
    )
    return found.stdout.strip() == "yes"


def _own_keyring(run: Run, repository: Repository) -> str | None:
    """Return the keyring that we wrote beside our own list; None where the list is another's."""
    found = run.shell.sh(_base64_of(repository.file) + "\necho\n" + _base64_of(repository.key_file))
    listed, _, keyring = found.stdout.partition("\n")
    return _decoded(keyring) if _decoded(listed) == repository.deb822() else None


def _base64_of(file: str) -> str:
    return f"head -c {LARGEST} {file} 2>/dev/null | base64 -w 0"


def _holds(keyring: str, repository: Repository) -> bool:
    """Tell whether a keyring is what we write: the pinned key, and not a byte beside it."""
    try:
        found = certificates(keyring)
    except NotAKey:
        return False
    return found[0].fingerprint == repository.fingerprint and found[0].armoured == keyring


def _key(run: Run, repository: Repository) -> tuple[Certificate, list[Certificate]]:
    """Fetch the repository's key: the pinned one, and what stands beside it, for words alone.

    Nothing is fetched again after the check: the trial gets the certificate that is returned here.
    """
    url = shlex.quote(repository.key_url)
    fetch = f'timeout 60 {_CURL} -o "$k" {url}\nbase64 -w 0 "$k"'
    result = run_apt(run, f"k=$(mktemp)\ntrap 'rm -f \"$k\"' EXIT\n{fetch}", timeout=90)
    if not result.ok:
        raise RepositoryFailed(messages.NO_KEY(words=result.last_words), messages.MAKE_REACHABLE())
    try:
        found = certificates(_decoded(result.stdout))
    except NotAKey as error:
        cause = messages.NOT_A_KEY(url=repository.key_url, words=str(error))
        raise RepositoryFailed(cause, messages.OPEN_IN_BROWSER()) from None
    pinned = [one for one in found if one.fingerprint == repository.fingerprint]
    if not pinned:
        raise RepositoryFailed(
            messages.OTHER_KEY(
                url=repository.key_url,
                found=", ".join(one.fingerprint for one in found),
                expected=repository.fingerprint,
            ),
            _only_by_setting(repository),
        )
    return pinned[0], [one for one in found if one is not pinned[0]]


def _only_by_setting(repository: Repository) -> Text:
    return messages.SET_KEY(setting=repository.key_setting)


def _decoded(text: str) -> str:
    """Return base64 as text; a byte that is not ASCII is no part of armour."""
    try:
        return base64.b64decode(text).decode("ascii", errors="replace")
    except ValueError:
        return ""


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
