"""The results as one table in place of pytest's own output."""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from rich import box
from rich.console import Console
from rich.table import Table as Grid

from console.words.safe import safe, safe_lines
from tasks.words.printable import printable

WIDTH_OF_FILES = 140
STYLES = {"ok": "green", "FAILED": "bold red", "skipped": "yellow"}


class Table:
    """A plugin that collects the results and prints them at the end, by host and service."""

    def __init__(self, config: pytest.Config) -> None:
        reporter = config.pluginmanager.getplugin("terminalreporter")
        config.pluginmanager.unregister(reporter)
        width = shutil.get_terminal_size((WIDTH_OF_FILES, 24)).columns
        self.console = Console(width=width, highlight=False)
        self.shows_progress = sys.stderr.isatty()
        self.rows: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
        self.results: Counter[str] = Counter()
        self.errors: list[str] = []
        self.file = str(config.getoption("--results", ""))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note what could not even be collected."""
        if report.failed:
            self.errors.append(report.longreprtext)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Show which check runs, where a person watches: a generation may take a while."""
        if self.shows_progress:
            what = nodeid.rpartition("[")[2].rstrip("]") or nodeid
            print(f"\r\033[K{printable(what)}", end="", file=sys.stderr, flush=True)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the one phase of a test that says how it ended."""
        if report.passed and report.when != "call":
            return
        result = "ok" if report.passed else "skipped" if report.skipped else "FAILED"
        about = dict(report.user_properties)
        self.results[result] += 1
        key = (str(about["host"]), str(about["service"]))
        detail = str(about.get("detail", "")) if report.passed else _reason(report)
        self.rows.setdefault(key, []).append((str(about["check"]), result, detail))

    def pytest_sessionfinish(self) -> None:
        """Print the table and the sum of it."""
        if self.shows_progress:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
        for host in dict.fromkeys(host for host, _ in self.rows):
            self.console.print(self._grid(host))
        for error in self.errors:
            self.console.print(safe_lines(error, "red"))
        total = self.results.total()
        checks = "1 check" if total == 1 else f"{total} checks"
        parts = ", ".join(f"{n} {result}" for result, n in sorted(self.results.items()))
        self.console.print(f"{checks}: {parts}" if total else "nothing was checked")

        if self.file:
            Path(self.file).write_text(json.dumps(self.as_json()), encoding="utf-8")

    def as_json(self) -> dict[str, list[Any]]:
        """Return the results for programs; `result` is ok, FAILED or skipped."""
        return {
            "checks": [
                dict(host=host, service=service, check=check, result=result, detail=detail)
                for (host, service), rows in self.rows.items()
                for check, result, detail in rows
            ],
            "errors": self.errors,
        }

    def _grid(self, host: str) -> Grid:
        grid = Grid(title=safe(host), title_justify="left", box=box.SIMPLE_HEAD)
        grid.add_column("service", no_wrap=True)
        grid.add_column("check")
        grid.add_column("result", no_wrap=True)
        grid.add_column("detail", overflow="fold")
        for (of_host, service), rows in self.rows.items():
            if of_host != host:
                continue
            for number, (check, result, detail) in enumerate(rows):
                shown = safe(result, STYLES[result])
                grid.add_row(
                    safe("" if number else service), safe(check), shown, safe_lines(detail)
                )
            grid.add_section()
        return grid


def _reason(report: pytest.TestReport) -> str:
    """Return why a test failed or was skipped, without the traceback and pytest's own words."""
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    message = crash.message if crash else report.longreprtext
    message = message.removeprefix("AssertionError: ").removeprefix("Failed: ")
    return str(message.partition("\nassert")[0].strip())
