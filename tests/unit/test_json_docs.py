"""docs/json.md and the verbs say the same; the documents of a real stack are held against it too,
in tests/stack/test_verbs.py."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields

import click
import pytest

import console.verbs  # noqa: F401 (registers the verbs)
from console.changing.doing import Doing, told
from console.checks.finding import Check
from console.group import app
from console.looking.services import ServiceView
from console.using.endpoints import endpoints
from tests.json_docs import EXAMPLES, TEXT, TROUBLE, differences, documented
from tests.unit.tasks.samples import stack


def verbs(group: click.Group, prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from verbs(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


def test_exactly_the_verbs_with_json_are_documented() -> None:
    with_json = {
        name for name, command in verbs(app) if "as_json" in {p.name for p in command.params}
    }
    assert with_json == set(EXAMPLES)
    assert all(EXAMPLES.values()), "each has an example"


def test_the_table_of_a_service_has_all_of_its_keys() -> None:
    table = TEXT.partition("### A service\n")[2].partition("\n## ")[0]
    cells = re.findall(r"(?m)^\| (`[^|]+) \|", table)
    keys = {key for cell in cells for key in re.findall(r"`(\w+)`", cell)}
    assert keys == {field.name for field in fields(ServiceView)}
    (row,) = documented("status")["services"]
    assert keys == row.keys()


def test_endpoints_are_as_documented() -> None:
    found = {"endpoints": endpoints(stack().services)}
    assert list(differences(documented("endpoint"), found)) == []


@pytest.mark.parametrize("verb", ["doctor", "verify"])
def test_findings_are_as_documented(verb: str) -> None:
    examples = documented(verb) if verb == "doctor" else documented(verb)["ready"]
    assert {field.name for field in fields(Check)} == examples[0].keys()


def test_a_difference_is_found_at_any_depth() -> None:
    good = documented("status")
    assert list(differences(good, good)) == []
    row = {key: value for key, value in good["services"][0].items() if key != "role"}
    assert list(differences(good, good | {"services": [row]})) == [
        ".services[].role is only documented"
    ]
    assert list(differences(good, good | {"new": 1})) == [".new is only real"]
    assert list(differences(TROUBLE, {"trouble": {"cause": 1, "remedy": ""}}))


STEP = {"host": "@local", "service": "qwen", "action": "stop", "subject": "x", "why": "y"}


def test_the_lines_of_a_journal_are_sorted_into_the_lists_of_the_document() -> None:
    found = told(
        [
            {"kind": "planned", **STEP},
            {"kind": "change", "at": "now", **STEP},
            {"kind": "note", "host": "@local", "text": "hear"},
            {"kind": "failure", "service": "", "what": "w", "cause": "c", "remedy": "r"},
        ]
    )
    assert found["notes"] == ["hear"]
    for name in ("planned", "changes", "failures"):
        assert list(differences(documented("pull")[name], found[name])) == []
        assert len(found[name]) == 1


@pytest.mark.parametrize(
    ("status", "is_dry", "changes", "edits", "outcome"),
    [
        (0, False, 0, 0, "no change"),
        (0, False, 1, 0, "done"),
        (0, False, 0, 1, "done"),
        (0, True, 0, 1, "planned"),
        (0, True, 0, 0, "no change"),
        (1, False, 1, 1, "failed"),
        (1, True, 0, 1, "failed"),
        (130, False, 1, 0, "interrupted"),
        (143, False, 0, 0, "interrupted"),
    ],
)
def test_the_outcome_in_a_word(
    status: int, is_dry: bool, changes: int, edits: int, outcome: str
) -> None:
    doing = Doing("restart", is_dry, edits={("a",): True} if edits else {})
    lists = {"planned": [], "changes": [STEP] * changes}
    assert doing.outcome(status, lists) == outcome
