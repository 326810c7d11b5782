"""One console edits stack.toml at a time, whoever came first and as whom."""

from __future__ import annotations

import os
from pathlib import Path

import click
import pytest

from console.changing.move import only_one


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STACK_FILE", str(tmp_path / "stack.toml"))
    return tmp_path


def test_the_second_one_ends_and_names_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    with only_one(), pytest.raises((SystemExit, click.exceptions.Exit)), only_one():
        pass
    said = capsys.readouterr().err
    assert "another command is at work here: main.sh" in said and f"PID {os.getpid()}" in said
    with only_one():
        pass


def test_two_installations_of_one_checkout_do_not_wait_for_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    with only_one():
        monkeypatch.setenv("STACK_FILE", str(tmp_path / "other" / "stack.toml"))
        with only_one():
            pass


def test_attack_19_a_lock_that_cannot_be_opened_is_named_with_its_remedy(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / ".main.lock").symlink_to(root / "precious")
    with pytest.raises((SystemExit, click.exceptions.Exit)), only_one():
        pass
    said = capsys.readouterr().err
    assert ".main.lock cannot be locked: it is a link" in said and "remedy" in said
    assert not (root / "precious").exists()


def test_attack_23_a_half_written_stack_toml_goes_before_the_next_edit(root: Path) -> None:
    half = root / ".stack.toml.k3j_x0ab"
    half.write_text("HF_TOKEN")
    with only_one():
        assert not half.exists()
