"""Further fronts of the registries: what is a front's own, and what it shares with the lab."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import engine29_registries, forwarding, fronts, lock, servers, settings, state
from lab.errors import LabError
from lab.nginx import Layout, Trouble, render
from lab.settings import FRONT_PORTS
from lab.state import ActiveFault, Host, LabState, Move

MOVE = Move(kind="models", repository="library/tiny-qwen", tag="v1.0", digest="sha256:ab")


@pytest.fixture
def front(lab: LabState, monkeypatch: pytest.MonkeyPatch) -> LabState:
    """A lab with a front "gw0", which is this process's; the state as it sees it."""
    state.save(lab)
    monkeypatch.setenv(fronts.FRONT, "gw0")
    ports = settings.choose_front_ports(lab.ports, state.all_ports())
    fronts.write(lab.model_copy(update={"ports": ports}).model_dump(mode="json"))
    return state.load()


def as_seen_by_the_lab(monkeypatch: pytest.MonkeyPatch) -> LabState:
    monkeypatch.delenv(fronts.FRONT)
    return state.load()


@pytest.mark.parametrize("name", ["GW0", "0", "a/b", "tests-long"])
def test_a_name_that_is_none_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(fronts.FRONT, name)
    with pytest.raises(LabError, match=fronts.FRONT):
        fronts.name()


def test_a_front_that_was_not_brought_up_is_named(
    lab: LabState, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.save(lab)
    monkeypatch.setenv(fronts.FRONT, "gw9")
    with pytest.raises(LabError, match="no front gw9"):
        state.load()


def test_its_ports_are_its_own_and_the_registries_the_labs(front: LabState, lab: LabState) -> None:
    own, shared = front.ports.model_dump(), lab.ports.model_dump()
    assert {key for key in own if own[key] == shared[key]} == {*own} - {*FRONT_PORTS}
    assert not {own[key] for key in FRONT_PORTS} & {*shared.values()}
    assert front.image_mirror == f"127.0.0.1:{front.ports.images}"


def test_a_second_front_takes_no_port_of_the_first(front: LabState, lab: LabState) -> None:
    second = settings.choose_front_ports(lab.ports, state.all_ports())
    first = {getattr(front.ports, key) for key in FRONT_PORTS}
    assert not first & {getattr(second, key) for key in FRONT_PORTS}


def test_its_faults_and_moves_are_its_own(
    front: LabState, lab: LabState, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.update(fault=ActiveFault(name="models-404"), moves=(MOVE,), generation=7)
    assert state.load().fault == ActiveFault(name="models-404")
    assert state.load().moves == (MOVE,)
    assert as_seen_by_the_lab(monkeypatch) == lab


def test_hosts_are_shared(front: LabState, lab: LabState, monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(name="web", container="c", volume="v")
    state.update(hosts=(host,), generation=3)
    assert as_seen_by_the_lab(monkeypatch) == lab.model_copy(update={"hosts": (host,)})


def test_its_own_changes_leave_the_shared_file_alone(front: LabState) -> None:
    state.path().write_text(state.path().read_text() + " ")
    before = state.path().read_bytes()
    state.update(generation=4)
    assert state.path().read_bytes() == before


def test_what_runs_for_it_has_its_name(front: LabState) -> None:
    own, others = servers.front_programs(), servers.front_programs("")
    assert [one.name for one in own] == ["nginx-gw0", "forwarder-gw0"]
    assert [one.name for one in others] == ["nginx", "forwarder"]
    assert not {one.mark for one in own} & {one.mark for one in others}
    assert forwarding.socket_path().name == "docker-gw0.sock"
    assert fronts.names() == ("gw0",)


def test_it_is_changed_while_the_lab_is(front: LabState) -> None:
    with lock.locked(), lock.front_locked(0):
        pass
    with (
        lock.front_locked(0),
        pytest.raises(LabError, match="being changed"),
        lock.front_locked(0),
    ):
        pass


def test_the_second_engine_knows_the_registries_of_all(front: LabState, lab: LabState) -> None:
    for ports in (front.ports, lab.ports):
        assert f"172.17.0.1:{ports.images}" in engine29_registries.registries()
        assert f"172.17.0.1:{ports.models}" in engine29_registries.registries()


def test_two_fronts_have_no_file_in_common(layout: Layout, tmp_path: Path) -> None:
    def files(front: str) -> set[str]:
        other = Layout(layout.state, layout.ports, layout.addresses, front=front)
        words = render(other, Trouble(), 1).replace(";", " ").split()
        return {word for word in words if word.startswith(str(tmp_path))}

    assert files("gw0") & files("gw1") == {str(layout.model_storage)}


def test_a_moved_tag_is_shown_as_the_other_manifest(layout: Layout) -> None:
    text = render(Layout(layout.state, layout.ports, layout.addresses, moves=(MOVE,)), Trouble(), 1)
    (line,) = [line.strip() for line in text.splitlines() if "rewrite" in line]
    assert line == (
        r'rewrite "^/v2/library/tiny\-qwen/manifests/v1\.0$"'
        " /v2/library/tiny-qwen/manifests/sha256:ab;"
    )
    assert text.index("listen 127.0.0.2:15001") < text.index(line)
