"""The checks when the app opens: each finds what it is for, and none raises."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from console.app import reading
from console.checks import startup
from console.checks.finding import Check
from console.looking.gpu import GpuReader, GpuReadings
from tests.unit.console.app.samples import WELL


@pytest.fixture
def declare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a stack.toml to write into; its socket and database are nobody's."""
    path = tmp_path / "stack.toml"
    path.write_text(f'docker_socket = "{tmp_path}/no.sock"\ndatabase = "{tmp_path}/models.db"\n')
    monkeypatch.setenv("STACK_FILE", str(path))
    return path


def test_lines_tell_what_is_under_way_and_what_is_wrong_with_its_remedy() -> None:
    found = {"a": None, "b": Check("b", True, "fine"), "c": Check("c", False, "gone", "get it")}
    assert startup.lines(found, everything=False) == ["… a", "✗ c: gone", "    remedy: get it"]
    assert startup.lines(found, everything=True)[1] == "✓ b: fine"


def test_what_is_only_notable_is_marked_so() -> None:
    found = {"a": Check("a", True, "not known", is_notable=True)}
    assert startup.lines(found, everything=True) == ["! a: not known"]
    assert startup.lines(found, everything=False) == []


def test_an_invalid_declaration_is_found_once_and_the_others_wait_for_it(declare: Path) -> None:
    declare.write_text("paralel = 2\n")
    found = {name: startup.checked(name) for name in ("declaration", "Docker", "user", "database")}
    wrong = [name for name, check in found.items() if not check.is_well]
    assert wrong == ["declaration"]
    assert "paralel" in found["declaration"].finding
    assert found["Docker"].finding == "not known before the declaration is valid"


def test_a_socket_that_is_not_there_is_dockers_fault_and_not_the_users(declare: Path) -> None:
    docker, user = startup.checked("Docker"), startup.checked("user")
    assert not docker.is_well
    assert f"there is no {declare.parent}/no.sock" in docker.finding
    assert "./main.sh setup" in docker.remedy
    assert (user.is_well, user.is_notable) == (True, True)


def test_a_socket_that_nobody_answers_at_is_found(declare: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(declare.parent / "no.sock"))
    docker, user = startup.checked("Docker"), startup.checked("user")
    assert (docker.is_well, user.is_well) == (False, True)
    assert "Docker does not answer" in docker.finding


@pytest.mark.parametrize(
    ("content", "is_well", "part"),
    [(None, True, "models.db is new"), (b"no database", False, "models.db is unusable (damaged")],
)
def test_a_database_that_cannot_be_gone_on_with_is_found(
    declare: Path, content: bytes | None, is_well: bool, part: str
) -> None:
    if content is not None:
        (declare.parent / "models.db").write_bytes(content * 100)
    check = startup.checked("database")
    assert check.is_well is is_well
    assert part in check.finding


@pytest.mark.parametrize(("gpu", "is_well"), [("auto", True), ("required", False)])
def test_no_gpu_is_wrong_only_where_one_is_required(
    declare: Path, monkeypatch: pytest.MonkeyPatch, gpu: str, is_well: bool
) -> None:
    declare.write_text(f'gpu = "{gpu}"\n')
    monkeypatch.setattr(GpuReader, "read", lambda _: GpuReadings(reason="no GPU"))
    check = startup.checked("GPU")
    assert check.is_well is is_well
    assert check.finding == "no GPU: models run on the CPU"


def test_what_nobody_foresaw_is_a_finding_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(startup.CHECKS, "GPU", lambda: WELL["nothing of this name"])
    check = startup.checked("GPU")
    assert not check.is_well
    assert "KeyError" in check.finding


def test_all_checks_are_shown_where_they_are_asked_for() -> None:
    assert reading.start_up(startup.CHECKS, WELL.__getitem__) == [
        "✓ declaration: 3 services are declared",
        "✓ Docker: answers at /var/run/docker.sock",
        "✓ user: may use Docker",
        "✓ database: .models.db can be used",
        "✓ GPU: NVIDIA GeForce RTX 2070 SUPER",
    ]


def test_history_of_an_invalid_declaration_is_what_is_wrong_with_it(declare: Path) -> None:
    declare.write_text("paralel = 2\n")
    from tests.unit.console.app.samples import view  # noqa: PLC0415 (made without this file)

    told = reading.history("@local", next(view().rows()).view)
    assert [line for line in told if "paralel" in line]
    assert [line for line in reading.memory_plan() if "paralel" in line]
