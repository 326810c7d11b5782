"""Every command prints and writes what was recorded. RECORD=1 records anew (README.md)."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.recorded.stage import Stage, group, names

OUTPUTS = Path(__file__).with_name("outputs")
HOW = """\
{name}: what was printed or written is no longer what was recorded ({file}).
Lines with "-" were recorded, lines with "+" are there now:

{diff}

Where that was not meant, mend the code. Where it was:

    RECORD=1 .venv/bin/python -m pytest -q '{test}[{name}]'

then read git diff tests/recorded, and commit it with the change that it comes from. A text that \
was rewritten is listed in tests/recorded/rewritten.txt as well (README.md)."""
IS_RECORDING = os.environ.get("RECORD") == "1"


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.xdist_group(f"recorded-{group(n)}")) for n in names()],
)
def test_a_scenario_is_told_as_recorded(stage: Callable[[int], Stage], name: str) -> None:
    file = OUTPUTS / f"{name}.txt"
    told = stage(group(name)).play(name)
    if IS_RECORDING:
        file.write_text(told)
        return
    recorded = file.read_text() if file.exists() else ""
    if told != recorded:
        lines = difflib.unified_diff(
            recorded.splitlines(), told.splitlines(), "recorded", "now", lineterm=""
        )
        test = "tests/recorded/test_outputs.py::test_a_scenario_is_told_as_recorded"
        words = HOW.format(name=name, file=file.name, test=test, diff="\n".join(lines))
        pytest.fail(words, pytrace=False)


@pytest.mark.skipif(IS_RECORDING, reason="they are being recorded")
def test_each_recording_has_its_scenario() -> None:
    assert {path.stem for path in OUTPUTS.glob("*")} == {*names()}
