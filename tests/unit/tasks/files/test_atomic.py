"""Files are written as a whole, and stay their owners'; root is one who writes for others."""

from __future__ import annotations

import logging
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tasks.database.database import record
from tasks.database.rows import inventory_of
from tasks.files.atomic import (
    make_folder,
    remove_leftovers,
    remove_leftovers_beside,
    temporary,
    write_atomically,
)
from tasks.files.lock import only_one
from tasks.records.lockfile import LockFile
from tasks.records.logfile import SharedLogFile
from tasks.records.proven import Proven
from tasks.run.decided import HostDetails
from tests.unit.passage import let_others_pass
from tests.unit.tasks.samples import container, snapshot, spec, stack

ADA, ADAS = 12345, 12346
NEEDS_ROOT = pytest.mark.skipif(os.getuid() != 0, reason="needs root to leave files to others")
WRITER = """
import os, sys, time
from pathlib import Path
from tasks.files.atomic import write_atomically
def never(*_):
    print("half-written", flush=True)
    time.sleep(60)
os.replace = never
write_atomically(Path(sys.argv[1]), "token = 'secret'")
"""


@pytest.fixture
def adas(tmp_path: Path) -> Path:
    """Return a folder of another user's, and nobody else's."""
    folder = tmp_path / "adas"
    folder.mkdir()
    os.chown(folder, ADA, ADAS)
    return folder


def owner(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_uid, found.st_gid


def killed_writer(path: Path) -> Path:
    """Return the half-written file of a process that is killed while it writes."""
    words = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None and writer.stdout.readline() == "half-written\n"
        (half,) = [p for p in path.parent.iterdir() if p != path]
        remove_leftovers_beside(path)
        assert half.exists(), "somebody writes it"
        writer.send_signal(signal.SIGKILL)
    return half


@NEEDS_ROOT
def test_attack_19_what_root_writes_stays_its_owners_with_its_mode(adas: Path) -> None:
    path = adas / "stack.toml"
    path.write_text("old")
    path.chmod(0o640)
    os.chown(path, ADA, 4)
    write_atomically(path, "new")
    assert path.read_text() == "new"
    assert (owner(path), stat.S_IMODE(path.stat().st_mode)) == ((ADA, 4), 0o640)


@NEEDS_ROOT
def test_attack_19_what_root_makes_belongs_to_the_owner_of_the_folder(adas: Path) -> None:
    path = adas / ".failed" / "deeper" / "x.log"
    write_atomically(path, "new")
    assert {owner(p) for p in (path, path.parent, path.parent.parent)} == {(ADA, ADAS)}
    make_folder(adas / "stays")
    make_folder(adas / "stays")
    assert owner(adas / "stays") == (ADA, ADAS)


@NEEDS_ROOT
def test_attack_19_stack_lock_and_its_writers_lock_are_left_to_their_owner(adas: Path) -> None:
    path = adas / "stack.lock"
    LockFile(path).put("h", "s", None, {"m:1": Proven("m:1", "sha256:a", "2026")})
    assert {p.name: owner(p) for p in adas.iterdir()} == {
        "stack.lock": (ADA, ADAS),
        ".stack.lock.writer": (ADA, ADAS),
    }
    with only_one(adas / ".main.lock", "a verb"):
        assert owner(adas / ".main.lock") == (ADA, ADAS)


@NEEDS_ROOT
def test_attack_19_the_database_and_what_sqlite_adds_are_left_to_their_owner(adas: Path) -> None:
    declared = stack()
    seen = snapshot(container(spec(declared)))
    path = adas / "new" / ".models.db"
    record(path, inventory_of("@local", declared, seen, HostDetails(), {}, []))
    assert owner(path) == owner(path.parent) == (ADA, ADAS)
    script = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]);"
        " c.execute('PRAGMA journal_mode=wal'); c.execute('CREATE TABLE x(y)'); c.commit();"
        " import os; print(*(os.stat(sys.argv[1] + s).st_uid for s in ('-wal', '-shm')))"
    )
    words = [sys.executable, "-c", script, str(path)]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout.split() == [
        str(ADA),
        str(ADA),
    ]


def logger(path: Path) -> logging.Logger:
    made = logging.Logger("test")
    made.addHandler(SharedLogFile(path, 60, 3))
    return made


@NEEDS_ROOT
def test_attack_19_the_log_is_left_to_its_owner_and_mode_though_it_is_rotated(adas: Path) -> None:
    path = adas / "x.log"
    log = logger(path)
    log.info("the first line")
    assert (owner(path), stat.S_IMODE(path.stat().st_mode)) == ((ADA, ADAS), 0o600)
    path.chmod(0o640)
    os.chown(path, ADA, 4)
    for number in range(9):
        log.info("line %d, and so on", number)
    found = sorted(adas.iterdir())
    assert [p.name for p in found] == ["x.log", "x.log.1", "x.log.2"]
    assert {(owner(p), stat.S_IMODE(p.stat().st_mode)) for p in found} == {((ADA, 4), 0o640)}


def test_attack_19_links_stay_links(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("stack.lock", "dangling", "x.log", ".models.db"):
        (tmp_path / name).symlink_to(elsewhere / name)
    (elsewhere / "stack.lock").write_text("")
    proven = Proven("m:1", "sha256:a", "2026")
    LockFile(tmp_path / "stack.lock").put("h", "s", None, {"m:1": proven})
    write_atomically(tmp_path / "dangling", "new")
    log = logger(tmp_path / "x.log")
    for number in range(9):
        log.info("line %d, and so on", number)
    seen = snapshot(container(spec(stack())))
    record(tmp_path / ".models.db", inventory_of("@local", stack(), seen, HostDetails(), {}, []))
    assert LockFile.load(elsewhere / "stack.lock").services("h") == {"s"}
    assert (elsewhere / "dangling").read_text() == "new"
    assert (elsewhere / "x.log.1").exists() and (elsewhere / ".models.db").is_file()
    assert all(p.is_symlink() for p in tmp_path.iterdir() if p != elsewhere)


def test_attack_19_a_damaged_database_behind_a_link_is_set_aside_where_it_is(
    tmp_path: Path,
) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (real / "x.db").write_text("this is no database, and long enough to be told apart from one")
    (tmp_path / ".models.db").symlink_to(real / "x.db")
    seen = snapshot(container(spec(stack())))
    rows = inventory_of("@local", stack(), seen, HostDetails(), {}, [])
    (note,) = record(tmp_path / ".models.db", rows)
    assert "x.db was unusable" in note and (tmp_path / ".models.db").is_symlink()
    assert len([*real.iterdir()]) == 2 and record(real / "x.db", rows) == []


def test_what_is_no_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "null").symlink_to("/dev/null")
    (tmp_path / "round").symlink_to(tmp_path / "round")
    (tmp_path / "folder").mkdir()
    for name in ("null", "round", "folder"):
        with pytest.raises(OSError, match=name):
            write_atomically(tmp_path / name, "x")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder", "null", "round"]
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@NEEDS_ROOT
def test_a_file_of_another_user_is_not_taken_from_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "stack.toml"
    path.write_text("old")
    let_others_pass(tmp_path)
    tmp_path.chmod(0o777)
    script = "import sys; from pathlib import Path; "
    script += "from tasks.files.atomic import write_atomically as w\n"
    script += "try: w(Path(sys.argv[1]), 'new')\nexcept OSError as error: print(error.strerror)"
    setpriv = ["setpriv", f"--reuid={ADA}", f"--regid={ADAS}", "--clear-groups"]
    words = [*setpriv, sys.executable, "-B", "-c", script, str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if "ermission denied" in done.stderr or "No module" in done.stderr:
        pytest.skip("another user cannot read this checkout or its Python")
    assert done.stdout == "it belongs to root: run this as root\n", done.stderr
    assert path.read_text() == "old" and [*tmp_path.iterdir()] == [path]


def test_attack_23_a_half_written_file_is_removed_once_nobody_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "stack.toml"
    path.write_text("old")
    half = killed_writer(path)
    assert "secret" in half.read_text()
    write_atomically(path, "new")
    assert [*tmp_path.iterdir()] == [path] and path.read_text() == "new"


def test_attack_23_what_older_versions_left_goes_and_a_persons_copies_stay(tmp_path: Path) -> None:
    ours = [".stack.toml.k3j_x0ab", ".stack.toml.abcdefgh.part", ".stack.toml.00000000.part"]
    theirs = [
        ".stack.toml.original",
        ".stack.toml.20261127",
        ".stack.toml.swp",
        "stack.toml.k3j_x0ab",
    ]
    theirs += [".stack.lock.writer", ".other.toml.k3j_x0ab", ".stack.toml.k3j_x0ab.bak"]
    for name in (*ours, *theirs):
        (tmp_path / name).write_text("")
    (tmp_path / ".stack.toml.k3j_x0zz").mkdir()
    (tmp_path / ".stack.toml.link1234").symlink_to(tmp_path / theirs[0])
    remove_leftovers_beside(tmp_path / "stack.toml")
    kept = {*theirs, ".stack.toml.k3j_x0zz", ".stack.toml.link1234"}
    assert {p.name for p in tmp_path.iterdir()} == kept
    (tmp_path / ".any.log.abcd1234.part").write_text("")
    remove_leftovers(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == kept


def test_attack_23_git_ignores_what_is_half_written() -> None:
    names = [".stack.toml.k3j_x0ab", ".stack.toml.k3j_x0ab.part", ".stack.lock.abcdefgh.part"]
    names += [".stack.lock.writer", ".main.lock", ".doctor-k3j_x0ab.part", ".dry-1-stack.toml"]
    root = Path(__file__).resolve().parents[4]
    words = ["git", "-C", str(root), "check-ignore", *names]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode == 128:
        pytest.skip(f"this is no checkout of this user's: {done.stderr}")
    assert done.stdout.split() == names


def test_a_temporary_file_is_gone_though_its_writer_failed(tmp_path: Path) -> None:
    def fail() -> None:
        with temporary(tmp_path, ".x."):
            raise ValueError

    with pytest.raises(ValueError):
        fail()
    assert not [*tmp_path.iterdir()]


def test_what_is_renamed_meanwhile_is_not_taken_for_the_temporary_file(tmp_path: Path) -> None:
    with temporary(tmp_path, ".x.") as (_, name):
        Path(name).rename(tmp_path / "x")
        Path(name).write_text("somebody else's")
    time.sleep(0)
    assert Path(name).read_text() == "somebody else's" and (tmp_path / "x").exists()
