"""Commands of the machine and how they fail."""

from __future__ import annotations

import pytest

from lab import shell
from lab.errors import LabError


def test_a_failure_carries_the_last_lines_of_this_command_only() -> None:
    shell.run(["echo", "earlier words"])
    with pytest.raises(LabError) as caught:
        shell.run(["sh", "-c", "echo the cause; exit 4"])
    assert "ended with 4: the cause" in caught.value.cause
    assert "earlier" not in caught.value.cause


def test_a_missing_program_and_a_hanging_one_are_named() -> None:
    with pytest.raises(LabError, match="no-such-program is not installed"):
        shell.run(["no-such-program"])
    with pytest.raises(LabError, match="took more than"):
        shell.run(["sleep", "30"], timeout=0.2)


def test_reading_never_fails() -> None:
    assert shell.read(["echo", "yes"]) == "yes\n"
    assert shell.read(["false"]) == ""
    assert shell.read(["no-such-program"]) == ""
