"""Whose clients they are, and how to act as that user: what a user may not do is not done."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from tasks.shell.local import Result, Shell

NO_USER = 67
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class UserShell:
    """The shell of a user of the host. `name` is "" for the one who runs this.

    Another one's needs root: `shell` is a shell that has it then.
    """

    shell: Shell
    name: str = ""

    def sh(self, script: str, *, stdin: str | None = None, timeout: float | None = 60) -> Result:
        """Run a script as that user, with the user's own home and nothing of ours."""
        return self.shell.sh(as_user(script, self.name), stdin=stdin, timeout=timeout)


def as_user(script: str, name: str) -> str:
    """Wrap a script of root's, so that it runs as a user; ends with NO_USER where there is none."""
    if not name:
        return script
    outer = (
        f"home=$(getent passwd {shlex.quote(name)} | cut -d: -f6); "
        f'[ -n "$home" ] && cd "$home" || exit {NO_USER}; '
        # Before the user changes: the environment of a process is that user's to read.
        f'exec env -i HOME="$home" USER={shlex.quote(name)} LOGNAME={shlex.quote(name)} PATH={PATH}'
        ' ${LANG+"LANG=$LANG"} ${LC_ALL+"LC_ALL=$LC_ALL"}'
        f" runuser -u {shlex.quote(name)} -- sh -c {shlex.quote(script)}"
    )
    return f"sh -c {shlex.quote(outer)}"
