"""The log file, written by several real processes at once."""

from __future__ import annotations

import logging
import multiprocessing
from pathlib import Path

import pytest

from tasks.records.logfile import SharedLogFile, logger_of

WRITERS, LINES = 4, 150


def handler(path: Path, max_bytes: int, files: int) -> logging.Logger:
    logger = logging.Logger("test")
    logger.addHandler(SharedLogFile(path, max_bytes, files))
    return logger


def write(path: Path, writer: int) -> None:
    logger = handler(path, 500, 10_000)
    for number in range(LINES):
        logger.info("writer %d line %d", writer, number)


def test_several_processes_lose_no_line_though_they_rotate_all_the_time(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write, args=(path, n)) for n in range(WRITERS)]
    for process in writers:
        process.start()
    for process in writers:
        process.join(60)
    assert [process.exitcode for process in writers] == [0] * WRITERS
    files = list(tmp_path.iterdir())
    assert len(files) > 10
    found = [line for file in files for line in file.read_text().splitlines()]
    wanted = [f"writer {w} line {n}" for w in range(WRITERS) for n in range(LINES)]
    assert sorted(found) == sorted(wanted)


def test_the_oldest_lines_go_and_every_file_is_its_owners_alone(tmp_path: Path) -> None:
    logger = handler(tmp_path / "x.log", 100, 3)
    for number in range(50):
        logger.info("line %d", number)
    names = {file.name: file for file in tmp_path.iterdir()}
    assert set(names) == {"x.log", "x.log.1", "x.log.2"}
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in names.values())
    assert all(file.stat().st_size <= 100 for file in names.values())
    assert names["x.log"].read_text().splitlines()[-1] == "line 49"


def test_a_file_that_somebody_moved_away_is_begun_anew(tmp_path: Path) -> None:
    logger = logger_of(tmp_path / "x.log")
    logger.info("before")
    (tmp_path / "x.log").rename(tmp_path / "old.log")
    logger.info("after")
    assert (tmp_path / "old.log").read_text().endswith("INFO  before\n")
    assert (tmp_path / "x.log").read_text().endswith("INFO  after\n")


def test_what_cannot_be_written_is_an_error_without_a_traceback(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    logger = logger_of(tmp_path)
    with pytest.raises(IsADirectoryError):
        logger.info("x")
    assert capfd.readouterr().err == ""


def test_what_is_no_text_is_written_in_a_way_that_is(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    handler(path, 5000, 2).info("typed: \udcff")
    assert "typed: \\udcff" in path.read_text()
