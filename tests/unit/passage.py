"""A way for another user into pytest's temporary folders, which are their maker's alone."""

from __future__ import annotations

import tempfile
from pathlib import Path


def let_others_pass(path: Path) -> None:
    """Let everybody go through the folders above a path, as far as they are a test's."""
    for above in path.parents:
        if above == Path(tempfile.gettempdir()):
            return
        above.chmod(above.stat().st_mode | 0o055)
