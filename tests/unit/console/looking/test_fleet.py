"""The console's look at other hosts: which there are, and what is shown of each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from console.looking.fleet import FleetError, hosts_in, is_this_machine, seen
from console.looking.host import SeenHost
from console.looking.status import as_value, notes, statuses
from tasks.run.host_looks import HostLook
from tests.unit.tasks.said import answered
from tests.unit.tasks.samples import container, snapshot, spec, stack

STACK = stack()


def inventory(folder: Path, text: str) -> Path:
    path = folder / "inventory.py"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ('here = ["@local"]', {"@local"}),
        ('a = ["h1", ("h2", {"ssh_user": "x"})]', {"h1", "h2"}),
        ('a = (["h1"], {"gpu": "off"})\nb = ["h1"]', {"h1"}),
        ('_a = ["h1"]\nnumbers = [1, 2]\nword = "h2"\nnothing = []', set()),
    ],
)
def test_hosts_are_found_as_pyinfra_finds_them(tmp_path: Path, text: str, hosts: set[str]) -> None:
    assert hosts_in(inventory(tmp_path, text)) == hosts


@pytest.mark.parametrize("text", ["import sys; sys.exit('not today')", "x = 1 / 0", "x = ("])
def test_an_inventory_that_cannot_be_loaded_is_told_as_such(tmp_path: Path, text: str) -> None:
    with pytest.raises(FleetError) as caught:
        hosts_in(inventory(tmp_path, text))
    assert "inventory.py cannot be loaded" in caught.value.trouble.cause


def test_only_an_inventory_of_this_machine_alone_needs_nobody_else(tmp_path: Path) -> None:
    assert is_this_machine(inventory(tmp_path, 'here = ["@local"]'), ())
    assert not is_this_machine(inventory(tmp_path, 'a = ["@local", "h1"]'), ())


@pytest.mark.parametrize("text", ["1 / 0", "import nothing_of_this_name", "a = ["])
def test_an_inventory_that_cannot_be_loaded_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(FleetError) as caught:
        hosts_in(inventory(tmp_path, text))
    assert "inventory.py cannot be loaded" in caught.value.trouble.cause


def test_a_host_that_nobody_reached_has_no_rows_and_is_not_well() -> None:
    (status,) = statuses([seen("h1", HostLook(cause="nobody answers", remedy="switch it on"))])
    value = as_value(status)
    assert not status.is_well
    assert (value["host"], value["services"]) == ("h1", [])
    assert value["trouble"] == {"cause": "nobody answers", "remedy": "switch it on"}
    assert [text for text, _ in notes(status)] == ["h1: nobody answers", "  remedy: switch it on"]


def test_a_host_without_docker_is_not_well_and_says_what_installs_it() -> None:
    found = seen("h1", HostLook(declared=STACK.model_dump_json(), output=""))
    assert found.trouble is not None
    assert "deploys/stack.py --limit h1" in found.trouble.remedy


def test_this_machine_alone_keeps_its_shape_and_another_host_tells_its_trouble() -> None:
    there = snapshot(container(spec(STACK)))
    here, other = statuses([SeenHost(name, STACK, there) for name in ("@local", "h1")])
    assert as_value(here).keys() | {"trouble"} == as_value(other).keys()
    assert as_value(other)["trouble"] is None


def test_what_is_told_of_a_service_names_its_host() -> None:
    drifted = snapshot(container(spec(STACK), environment={"OLLAMA_KEEP_ALIVE": "1h"}))
    (status,) = statuses([SeenHost("h1", STACK, drifted)])
    told = [text for text, _ in notes(status)]
    assert told
    assert all(text.startswith("h1") for text in told)


@pytest.mark.parametrize(
    "look",
    [
        HostLook(declared="{", output="x"),
        HostLook(declared='{"services": 5}', output="x"),
        HostLook(declared=STACK.model_dump_json(), output=""),
        HostLook(declared=STACK.model_dump_json(), output="#engine !\n#engine AAAA\n\x85\x1b[2J"),
        HostLook(declared=STACK.model_dump_json(), output=answered({"http://docker/version": []})),
        HostLook(
            declared=STACK.model_dump_json(),
            output=answered({"http://docker/version": {"Version": 5}}, "engine"),
        ),
    ],
)
def test_attack_9_a_host_that_answers_oddly_ends_nobody_elses_status(look: HostLook) -> None:
    odd, well = statuses([seen("odd", look), SeenHost("ws2", STACK, snapshot())])
    assert odd.seen.trouble is not None and odd.seen.trouble.remedy
    assert not odd.is_well and odd.rows == ()
    assert len(well.rows) == 3


def test_an_unknown_service_says_why_and_the_others_are_known() -> None:
    found = replace(snapshot(container(spec(STACK))), unknown={"qwen": "its server answers oddly"})
    (status,) = statuses([SeenHost("@local", STACK, found)])
    assert [row.state for row in status.rows] == ["unknown", "absent", "absent"]
    assert not status.is_well
    told = [text for text, _ in notes(status)]
    assert any("its server answers oddly" in text and "docker logs" in text for text in told)
