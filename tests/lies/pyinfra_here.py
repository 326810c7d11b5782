"""pyinfra with the host's lock in a folder of a test's own, which needs no root; and several hosts.

The lock's folder and its owner are no settings, and must not be: so a test changes them in the
process, and runs of real stacks on this machine are left alone. "@local/NAME" is one more host,
which is this machine with a name: pyinfra has one @local alone.
"""

from __future__ import annotations

import atexit
import grp
import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LOCKS = "FAKE_LOCKS"
# The file that the run writes its largest memory to, in KiB.
USAGE = "FAKE_USAGE"


def named(name: str | None = None) -> Iterator[tuple[str, dict[str, Any], list[str]]]:
    """Yield the one host that "@local" or "@local/NAME" stands for, and its group."""
    yield f"@local/{name}" if name else "@local", {}, ["@local"]


def tell_memory() -> None:
    """Write down how much memory this process took."""
    Path(os.environ[USAGE]).write_text(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))


if __name__ == "__main__":
    # First of all, and only here: it patches what others import, the process of the tests too.
    from pyinfra.connectors.local import LocalConnector
    from pyinfra_cli.main import main

    from tasks.run import hostfolder

    hostfolder.FOLDER = os.environ[LOCKS]
    hostfolder.OWNER = os.getuid()
    hostfolder.GROUP = grp.getgrgid(os.getgid()).gr_name
    LocalConnector.make_names_data = staticmethod(named)
    atexit.register(tell_memory)
    sys.exit(main())
