"""What the doctor finds, as lines for people."""

from __future__ import annotations

from collections.abc import Iterator

from console.checks.finding import Check


def mark(check: Check) -> str:
    """Return one character for how it stands."""
    if check.is_notable:
        return "!"
    return "✓" if check.is_well else "✗"


def check_lines(check: Check) -> Iterator[str]:
    """Yield a finding, and its remedy where there is something to do."""
    yield f"{mark(check)} {check.what}: {check.finding}"
    if check.remedy and (check.is_notable or not check.is_well):
        yield f"    remedy: {check.remedy}"
