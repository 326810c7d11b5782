"""What the app shows of a service and of the card: words for every state, and no line too long."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from console.app.cells import (
    CUT,
    CUTTING,
    GAP,
    HEADINGS,
    LEAST,
    LEAVING,
    Shown,
    about,
    ago,
    cells_of,
    client_settings,
    cut,
    fitting,
    gpu_line,
    hosts_of,
    remarks,
)
from console.looking.gpu import GpuReading, GpuReadings
from console.looking.table import MARKS
from tests.unit.console.app.samples import CARD, NOW, all_of, fleet, host, one_stopped, view

NEVER_LEAVE = tuple(heading for heading in HEADINGS if heading not in LEAVING)
QWEN = next(view().rows())
words = st.text(st.characters(blacklist_categories=("Cc", "Cs", "Mn", "Me", "Cf")), max_size=40)
tables = st.lists(st.fixed_dictionaries({h: words.map(Text) for h in HEADINGS}), max_size=4)


def needed(headings: tuple[str, ...], rows: list[dict[str, Text]]) -> int:
    """Return the width of a table, in cells."""
    return sum(max([len(h), *(row[h].cell_len for row in rows)]) + GAP for h in headings)


def test_a_row_says_in_words_what_its_mark_and_colour_say() -> None:
    qwen, deepseek, mistral = (cells_of(shown, NOW) for shown in one_stopped().rows())
    assert {name: cell.plain for name, cell in qwen.items()} == {
        "": "●",
        "service": "qwen",
        "role": "code completion",
        "state": "active",
        "model": "qwen2.5-coder:7b",
        "version": "2caa0d1e2f2c",
        "Ollama": "0.24.0",
        "container": "ollama-qwen",
        "port": "11434",
        "loaded": "GPU 5.4 GB",
        "context": "16384",
        "changed": "2 h ago",
        "look at": "upgrade available",
    }
    assert (deepseek[""].plain, deepseek["state"].plain) == ("✗", "stopped")
    assert mistral["look at"].plain == "drift"


def test_no_two_states_are_told_apart_by_colour_alone() -> None:
    assert len({mark for mark, _ in MARKS.values()}) == len(MARKS)
    assert all(cells_of(QWEN, NOW)["state"].plain for _ in MARKS)


def test_a_model_that_is_not_there_is_said_to_be_so() -> None:
    absent = replace(QWEN, view=replace(QWEN.view, installed_version=None))
    cells = cells_of(absent, NOW)
    assert (cells["model"].plain, cells["version"].plain) == ("qwen2.5-coder:7b", "not there")
    assert "qwen2.5-coder:7b is not there" in about(absent, NOW)[1]


@given(tables, st.integers(0, 300))
def test_a_table_is_no_wider_than_the_terminal_unless_nothing_more_may_leave(
    rows: list[dict[str, Text]], width: int
) -> None:
    headings = fitting(rows, width)
    assert needed(headings, rows) <= width or headings == NEVER_LEAVE
    assert [h for h in HEADINGS if h in headings] == list(headings)


@given(tables, st.integers(0, 300))
def test_columns_leave_in_their_order_and_none_without_need(
    rows: list[dict[str, Text]], width: int
) -> None:
    headings = fitting(rows, width)
    gone = [heading for heading in LEAVING if heading not in headings]
    assert gone == list(LEAVING[: len(gone)])
    if gone:
        one_more = tuple(h for h in HEADINGS if h in headings or h == gone[-1])
        assert needed(one_more, rows) > width


@given(tables, st.integers(0, 300))
def test_what_may_not_leave_is_cut_until_it_fits(rows: list[dict[str, Text]], width: int) -> None:
    headings = fitting(rows, width)
    short = cut(rows, headings, width)
    assert all(row[h] == old[h] for old, row in zip(rows, short, strict=True) for h in LEAVING)
    widths = {h: max([len(h), *(row[h].cell_len for row in short)]) for h in CUTTING}
    assert needed(headings, short) <= max(width, needed(headings, rows))
    assert needed(headings, short) <= width or max(widths.values()) <= LEAST


def test_a_long_name_keeps_its_beginning_and_its_tag() -> None:
    name = "hf.co/somebody/A-Very-Long-Name-Of-A-Model-Instruct-GGUF:Q4_K_M"
    rows = [cells_of(replace(QWEN, view=replace(QWEN.view, installed_version=name)), NOW)]
    (short,) = cut(rows, fitting(rows, 77), 77)
    assert short["model"].plain.startswith("hf.co/somebody/")
    assert short["model"].plain.endswith("Q4_K_M")
    assert CUT in short["model"].plain
    assert short["state"].plain == "active"


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 min ago"),
        (timedelta(hours=2), "2 h ago"),
        (timedelta(days=40), "40 d ago"),
        (timedelta(days=-1), "just now"),
    ],
)
def test_ages_are_told_in_one_unit(before: timedelta, text: str) -> None:
    assert ago((NOW - before).isoformat(), NOW) == text


@pytest.mark.parametrize("stamp", ["", "yesterday", "2026-01-01T00:00:00"])
def test_what_is_no_time_of_utc_has_no_age(stamp: str) -> None:
    assert ago(stamp, NOW) == "-"


def test_all_that_a_person_should_look_at_is_named() -> None:
    bad = replace(QWEN.view, left_gpu="it runs on the CPU", drift=({"field": "memory"},))
    shown = replace(QWEN, view=bad, upgrades=("x 1 → 2",))
    assert remarks(shown) == "drift, left the GPU, upgrade available"
    assert remarks(QWEN) == ""


def test_the_pane_tells_what_differs_what_is_offered_and_what_is_kept() -> None:
    kept = {"name": "ollama/ollama:0.17.4", "digest": "sha256:b4ca78515cf7ffff", "size": 1}
    more = replace(QWEN.view, previous=(kept,), undeclared=("mine:1",), left_gpu="on the CPU")
    qwen, _, mistral = one_stopped().rows()
    assert "upgrade available: qwen2.5-coder:7b 2caa0d1e2f0d → 9f1c3b5a7d20" in about(qwen, NOW)
    assert "drift: environment OLLAMA_KEEP_ALIVE 1h → 5m" in about(mistral, NOW)
    assert about(replace(QWEN, view=more), NOW)[-3:] == [
        "on the CPU",
        "kept for a rollback: ollama/ollama:0.17.4@b4ca78515cf7",
        "not declared, left alone: mine:1",
    ]


def test_a_client_is_told_address_and_model_of_this_service() -> None:
    lines = dict(line.split("=", 1) for line in client_settings(QWEN.view).splitlines())
    assert lines["OPENAI_BASE_URL"] == "http://127.0.0.1:11434/v1"
    assert lines["OLLAMA_HOST"] == "http://127.0.0.1:11434"
    assert lines["OPENAI_MODEL"] == "qwen2.5-coder:7b"


def test_the_card_is_told_at_length_where_there_is_room_and_short_where_there_is_none() -> None:
    readings = GpuReadings((CARD,))
    long, short = gpu_line(readings, 140), gpu_line(readings, 77)
    assert long.startswith("NVIDIA GeForce RTX 2070 SUPER  driver 580.95.05  █")
    assert short.startswith("RTX 2070 SUPER  driver 580.95.05  █")
    assert long.endswith("6.2 GB of 8.6 GB  54 °C  12 %")
    assert short.endswith("6.2 GB of 8.6 GB  54 °C  12 %")
    assert len(short) <= 77 < len(long)


def test_what_a_card_does_not_tell_is_left_out() -> None:
    silent = GpuReading("some card", "1", None, None, None, None)
    assert gpu_line(GpuReadings((silent, silent))) == "some card  driver 1\nsome card  driver 1"
    assert gpu_line(GpuReadings(reason="no GPU")) == "no GPU"


def test_hosts_are_named_in_front_of_their_services() -> None:
    rows = list(fleet().rows())
    assert [shown.key for shown in rows][:4] == [
        "ws1/qwen",
        "ws1/deepseek",
        "ws1/mistral",
        "ws2/qwen",
    ]
    assert hosts_of(rows) == ["ws1", "ws2"]
    assert hosts_of([*view(host(seen=all_of())).rows()]) == []
    assert Shown("@local", QWEN.view).key == "qwen"
