"""The folder of a host's locks: root's own, made and checked before anything in it is opened.

It survives a boot, which /run does not, so that a user of the group docker who cannot become root
finds it there; /run/lock and /tmp are everybody's to write. Linux keeps root from opening another's
file in such a folder (fs.protected_regular), and anybody may leave a link there.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from tasks.words.failures import Failure

FOLDER = "/var/lib/ollama-stack"
OWNER, GROUP = 0, "docker"
BUSY = 75
UNSEEN = "unseen"
MARK = "ollama-stack lock: "


def mend_script() -> str:
    """Build what opens root's folder to the group docker, made before Docker was installed."""
    folder, group = shlex.quote(FOLDER), shlex.quote(GROUP)
    return (
        f'if [ "$(id -u)" = {OWNER} ] && [ -n "$(find {folder} -maxdepth 0 -type d'
        f' -user {OWNER} ! -group {group} ! -perm /022 2>/dev/null)" ]; then'
        f" chgrp -h {group} {folder} {folder}/* 2>/dev/null; chmod 2770 {folder}; fi; "
    )


def ready_script(files: Iterable[str]) -> str:
    """Build what makes the folder where it may, and ends with words for `trouble` where it cannot.

    `files` are shell words; each is opened for writing, made with mode 0660 where missing.
    """
    folder, group = shlex.quote(FOLDER), shlex.quote(GROUP)
    return (
        f"umask 007; no() {{ echo '{MARK}'\"$1\" >&2; exit 1; }}; "
        f"if [ ! -e {folder} ] && [ ! -L {folder} ]; then"
        f" getent group {group} >/dev/null && has=yes || has=no;"
        f' [ "$(id -u)" = {OWNER} ] || no "missing $has";'
        f" mkdir -m 0700 {folder} || [ -d {folder} ] || no unmade; fi; "
        f"{mend_script()}{_check_script()}"
        f"for f in {' '.join(files)}; do"
        ' [ ! -L "$f" ] && { [ ! -e "$f" ] || [ -f "$f" ]; } || no "link $f";'
        ' (: 9<>"$f") 2>/dev/null || no "file $f"; done; '
    )


def _check_script() -> str:
    """Build what refuses a link, and a folder that others than root and the group may write."""
    folder, group = shlex.quote(FOLDER), shlex.quote(GROUP)
    look = f"find {folder} -maxdepth 0 -type d -user {OWNER}"
    return (
        f'[ -n "$({look} ! -perm /022; {look} -group {group} ! -perm /002 2>/dev/null)" ]'
        f" || no unsafe; if [ ! -w {folder} ] || [ ! -x {folder} ]; then"
        f' case " $(id -nG) " in *" "{group}" "*) no shut ;; *) no closed ;; esac; fi; '
    )


def trouble(stderr: str) -> Failure | None:
    """Say why the folder is not ready, from what its script wrote; None where it is."""
    lines = stderr.splitlines()
    said = next((line.partition(MARK)[2] for line in lines if MARK in line), "")
    if not said:
        return None
    word, _, more = said.partition(" ")
    cause, remedy = _words(word, more)
    if word == "unmade":
        cause += "".join(f" ({line})" for line in lines[:1] if MARK not in line)
    return Failure("the lock of this host cannot be taken", cause, remedy)


def _words(word: str, more: str) -> tuple[str, str]:
    make = f"sudo install -d -o root -g {GROUP} -m 2770 {FOLDER}"
    closed = f"{FOLDER} is for root and the group {GROUP}, and this user may not write it"
    return {
        "missing": (
            f"there is no folder {FOLDER}, and only root can make it",
            f"{make}; then run again"
            if more == "yes"
            else "run it once by a user with sudo, or as root: that makes it",
        ),
        "unmade": (
            f"root cannot make {FOLDER}",
            "see to it that /var/lib can be written, then run again",
        ),
        "unsafe": (
            f"{FOLDER} is no folder that only root and the group {GROUP} may write",
            f"look what it is (ls -ld {FOLDER}); then: sudo mv {FOLDER} {FOLDER}.old; {make}",
        ),
        "shut": (
            f"{FOLDER} is not open to the group {GROUP}",
            f"{make}; sudo chgrp -R {GROUP} {FOLDER}; then run again",
        ),
        "closed": (closed, f"sudo usermod -aG {GROUP} $USER, log in again; or run as root"),
        "link": (f"{more} is no file", f"sudo mv {more} {more}.old; then run again"),
        "file": (
            f"{more} cannot be opened for writing",
            f"sudo chgrp -R {GROUP} {FOLDER}; then run again",
        ),
    }[word]
