"""The journal of a run: read back as it was written, also where the run was killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.records import journal


def test_lines_come_back_and_a_cut_off_one_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal"
    monkeypatch.setenv(journal.JOURNAL, str(path))
    journal.write("note", host="@local", text="ä\nb")
    journal.write("failure", cause="c")
    path.write_text(path.read_text() + '{"kind": "cha')
    assert list(journal.read(path)) == [
        {"kind": "note", "host": "@local", "text": "ä\nb"},
        {"kind": "failure", "cause": "c"},
    ]


def test_nothing_is_written_where_nobody_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(journal.JOURNAL, raising=False)
    journal.write("note", text="x")
    assert list(tmp_path.iterdir()) == []


def test_a_journal_that_cannot_be_written_ends_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(journal.JOURNAL, str(tmp_path / "gone" / "journal"))
    journal.write("note", text="x")
    assert list(tmp_path.iterdir()) == []
