"""Packages on a host: installed without questions, locks waited for."""

from __future__ import annotations

import time
from collections.abc import Iterable

from tasks.apt import messages
from tasks.apt.apt import (
    HOLDERS_SCRIPT,
    LOCK_SECONDS,
    apt_get,
    explain,
    lock_holders,
    locked_remedy,
    script,
)
from tasks.apt.pins import chosen, offered, shown
from tasks.run.run import Run
from tasks.shell.local import Result
from tasks.words.failures import StepFailed

UPDATE_SECONDS = 300
INSTALL_SECONDS = 1800
POLL_SECONDS = 3.0


def install(run: Run, packages: Iterable[str]) -> None:
    """Install packages from the sources that are there; never removes one. Raises StepFailed."""
    names = tuple(packages)
    install_known(run, names, update_lists(run))


def update_lists(run: Run) -> Result:
    """Read the package lists anew. Raises StepFailed where a lock is held."""
    wait_for_locks(run)
    run.teller.log("  reading the package lists")
    return run_apt(run, apt_get("update"), timeout=UPDATE_SECONDS)


def pinned(run: Run, names: Iterable[str], pin: str, setting: str) -> tuple[str, ...]:
    """Return packages with the version that a pin means of the first of them; as they are for "".

    Raises StepFailed with what apt offers, where it has no such version.
    """
    all_names = tuple(names)
    if not pin:
        return all_names
    first = all_names[0]
    versions = offered(run.shell.sh(script(f"apt-cache madison {first}")).stdout.splitlines())
    version = chosen(versions, pin)
    if not version:
        raise StepFailed(
            messages.NO_VERSION(package=first, pin=pin, versions=shown(versions)),
            messages.DECLARE_VERSION(setting=setting),
        )
    return tuple(f"{name}={version}" for name in all_names)


def simulate(run: Run, names: tuple[str, ...]) -> Result:
    """Return what an installation would do, in apt-get's words; nothing is changed."""
    options = ("--simulate", "--no-install-recommends")
    return run_apt(run, apt_get("install", *names, options=options), timeout=UPDATE_SECONDS)


def install_known(
    run: Run, names: tuple[str, ...], update: Result | None = None, *, may_remove: bool = False
) -> None:
    """Install packages from the lists that are there. Raises StepFailed.

    `may_remove` is for who has looked by `simulate` at what would be removed.
    """
    run.teller.log(f"  installing {', '.join(names)}")
    wait_for_locks(run)
    options = () if may_remove else ("--no-remove",)
    command = apt_get("install", *names, options=(*options, "--no-install-recommends"))
    result = run_apt(run, command, timeout=INSTALL_SECONDS)
    if result.ok:
        return
    output = f"{result.stderr}\n{result.stdout}"
    if update is not None and not update.ok:
        # Old lists explain why a package is not found.
        output = f"{update.stderr}\n{output}"
    raise StepFailed.of(explain(output))


def run_apt(run: Run, *commands: str, timeout: float, stdin: str = "") -> Result:
    """Run commands with the declared proxies; `stdin` is what they read themselves."""
    return run.shell.sh(script(*commands), stdin=_proxies(run) + stdin, timeout=timeout)


def _proxies(run: Run) -> str:
    stack = run.stack
    return f"{stack.http_proxy}\n{stack.https_proxy}\n{stack.no_proxy}\n"


def wait_for_locks(run: Run, seconds: float = LOCK_SECONDS) -> None:
    """Wait until nobody holds a lock of apt or dpkg, and say who does. Raises StepFailed."""
    end = time.monotonic() + seconds
    is_told = False
    while holders := lock_holders(run.shell.sh(HOLDERS_SCRIPT).stdout.splitlines()):
        if time.monotonic() >= end:
            cause = messages.LOCKED_LONG(holder=str(holders[0]), seconds=seconds)
            raise StepFailed(cause, locked_remedy(holders[0].pid))
        if not is_told:
            run.teller.log(f"  waiting up to {seconds:.0f} s: {holders[0]}")
            is_told = True
        time.sleep(POLL_SECONDS)
