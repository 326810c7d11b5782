"""The result in words: tables of medians and ratios, and their place in README.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.errors import BenchError
from bench.measure import Times

BEGIN = "<!-- measured: begin; written by `python -m bench --keep` -->"
END = "<!-- measured: end -->"


def table(title: str, times: Sequence[Times]) -> list[str]:
    """Return a table of medians; the first row is ours, and the ratios are against it."""
    ours = times[0].median
    rows = [
        f"| {t.name} | {t.median:.2f} s | {min(t.seconds):.2f} to {max(t.seconds):.2f} s"
        f" | {t.median / ours:.2f} |"
        for t in times
    ]
    head = f"| {title} | median of {len(times[0].seconds)} | range | against ours |"
    return [head, "| --- | ---: | ---: | ---: |", *rows]


def goals(no_op: Sequence[Times], first: Sequence[Times]) -> list[str]:
    """Return how the result stands to what was aimed at."""
    ours, empty, ansible = (t.median for t in no_op[:3])
    first_ours, first_ansible = (t.median for t in first[:2])
    return [
        f"- no-op converge against Ansible: 1/{ansible / ours:.1f} of its time (goal: at most 1/7)",
        f"- no-op converge against the empty pyinfra run: {ours / empty:.2f} (goal: at most 2)",
        f"- first converge against Ansible's: {first_ours / first_ansible:.2f} (goal: at most 1)",
    ]


def keep(readme: Path, lines: Sequence[str]) -> None:
    """Put the result between the markers of a README."""
    before, begin, rest = readme.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BenchError(f"{readme.name} has lost its markers", f"put back {BEGIN} and {END}")
    readme.write_text("\n".join([before + BEGIN, "", *lines, "", END]) + after)
