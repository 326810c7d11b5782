"""A folder of locks of the tests' own."""

from __future__ import annotations

import grp
import os
from pathlib import Path

import pytest

from tasks.run import holding, hostfolder, hostlock


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder, which is not there yet; nobody is waited for in it."""
    made = tmp_path / "locks"
    monkeypatch.setattr(hostfolder, "FOLDER", str(made))
    monkeypatch.setattr(hostfolder, "OWNER", os.getuid())
    monkeypatch.setattr(hostfolder, "GROUP", grp.getgrgid(os.getgid()).gr_name)
    for module in (hostlock, holding):
        monkeypatch.setattr(module, "GRACE", 0)
        monkeypatch.setattr(module, "CHILDREN_WAIT", 0)
    return made
