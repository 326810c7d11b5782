"""What the doctor says of the installation's files."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from console.checks.files import has_secrets, log_checks, secrecy_checks
from tasks.database.database import is_locked
from tests.unit.tasks.samples import stack

TOKEN = {"models": {"qwen": {"environment": {"HF_TOKEN": "abcdef"}}}}
PROXY = {"http_proxy": "http://ada:secret@proxy:3128"}


@pytest.mark.parametrize(
    ("settings", "is_secret"),
    [
        ({}, False),
        ({"models": {"qwen": {"environment": {"TZ": "Europe/Berlin"}}}}, False),
        ({"http_proxy": "http://proxy.lan:3128"}, False),
        (TOKEN, True),
        (PROXY, True),
    ],
)
def test_what_counts_as_a_secret(settings: dict[str, object], is_secret: bool) -> None:
    assert has_secrets(stack(**settings)) is is_secret


@pytest.mark.parametrize(("mode", "count"), [(0o600, 0), (0o400, 0), (0o644, 1), (0o640, 1)])
def test_secrets_that_others_may_read_are_not_well(tmp_path: Path, mode: int, count: int) -> None:
    file = tmp_path / "stack.toml"
    file.write_text("")
    file.chmod(mode)
    found = list(secrecy_checks(stack(**TOKEN), file))
    assert [check.is_well for check in found] == [False] * count
    assert list(secrecy_checks(stack(), file)) == []
    assert list(secrecy_checks(stack(**TOKEN), tmp_path / "none")) == []


def test_fault_34_a_database_that_somebody_writes_into_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    assert not is_locked(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("CREATE TABLE t (a)")
        assert not is_locked(path)
        writer.execute("BEGIN IMMEDIATE")
        before = path.read_bytes()
        assert is_locked(path)
        assert path.read_bytes() == before
    path.write_bytes(b"garbage" * 1000)
    assert not is_locked(path)


def test_the_log_of_changes_is_named_or_why_there_is_none(tmp_path: Path) -> None:
    declared = stack(database=str(tmp_path / "models.db"))
    (found,) = log_checks(declared)
    assert found.is_well and str(tmp_path) in found.finding
    (tmp_path / ".ollama-stack.log").mkdir()
    (broken,) = log_checks(declared)
    assert broken.is_notable and broken.remedy
    (off,) = log_checks(stack(log_file=""))
    assert "switched off" in off.finding


def test_logs_of_failed_containers_are_named(tmp_path: Path) -> None:
    (tmp_path / ".failed").mkdir()
    (tmp_path / ".failed/ollama-qwen-1.log").write_text("x")
    *_, found = log_checks(stack(database=str(tmp_path / "models.db")))
    assert "1 logs are kept" in found.finding and "ollama-qwen-1.log" in found.finding
