"""The lab's two folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import paths
from lab.errors import LabError


def test_folders_follow_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert paths.state_folder() == tmp_path / "state"
    assert paths.cache_folder() == tmp_path / "cache" / "ollama-stack"
    monkeypatch.delenv("LAB_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    assert paths.state_folder() == tmp_path / "xdg" / "ollama-stack" / "lab"


def test_another_folder_is_another_lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    first = paths.lab_id()
    monkeypatch.setenv("LAB_STATE", str(tmp_path / "other"))
    assert paths.lab_id() != first


@pytest.mark.parametrize("name", ["with space", 'quote"', "semi;colon", "brace{"])
def test_a_path_that_would_break_configurations_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("LAB_STATE", f"/tmp/{name}")
    with pytest.raises(LabError, match="LAB_STATE"):
        paths.state_folder()
