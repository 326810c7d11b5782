"""pyinfra with the host's lock in a folder of a test's own, which needs no root.

The lock's folder and its owner are no settings, and must not be: so a test changes them in the
process, and runs of real stacks on this machine are left alone.
"""

from __future__ import annotations

import grp
import os
import sys

LOCKS = "FAKE_LOCKS"

if __name__ == "__main__":
    # First of all, and only here: it patches what others import, the process of the tests too.
    from pyinfra_cli.main import main

    from tasks import hostfolder

    hostfolder.FOLDER = os.environ[LOCKS]
    hostfolder.OWNER = os.getuid()
    hostfolder.GROUP = grp.getgrgid(os.getgid()).gr_name
    sys.exit(main())
