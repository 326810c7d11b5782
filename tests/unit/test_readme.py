"""README and code say the same: settings with their defaults, and commands that exist."""

from __future__ import annotations

import re
from pathlib import Path
from runpy import run_path

import pytest

from tasks.declared.stack import RunOptions, Service, Stack

ROOT = Path(__file__).resolve().parent.parent.parent
README = (ROOT / "README.md").read_text()
SETTINGS = (ROOT / "group_data/all.py").read_text()
SETTING = re.compile(r"(?m)^# (?P<meaning>.+)\n(?P<name>[a-z_]+) = ")


def settings_table() -> list[str]:
    """Return the rows that README's table of settings has to hold."""
    defaults = run_path(str(ROOT / "group_data/all.py"))
    rows = []
    for match in SETTING.finditer(SETTINGS):
        name = match["name"]
        if name in ("models", "models_override", "roles"):
            continue
        default = defaults[name]
        shown = str(default).lower() if isinstance(default, bool) else repr(default)
        shown = shown.replace("'", '"')
        rows.append(f"| `{name}` | `{shown}` | {match['meaning']} |")
    return rows


def test_every_setting_has_its_line_in_readme() -> None:
    missing = [row for row in settings_table() if row not in README]
    assert not missing, "README lacks:\n" + "\n".join(missing)


def test_every_setting_of_the_declaration_has_a_default_and_a_comment() -> None:
    described = {match["name"] for match in SETTING.finditer(SETTINGS)}
    assert set(Stack.model_fields) - {"services", "options"} <= described


@pytest.mark.parametrize("name", sorted({*Service.model_fields} - {*Stack.model_fields, "name"}))
def test_every_setting_of_a_service_is_named_in_readme(name: str) -> None:
    assert f"`{name}`" in README


@pytest.mark.parametrize("name", sorted(RunOptions.model_fields))
def test_every_option_of_a_run_is_named_in_readme(name: str) -> None:
    assert f"`{name}" in README


def test_every_file_that_readme_names_exists() -> None:
    named = re.findall(
        r"(?<![\w/.])((?:(?:deploys|\.scripts|docs|bench|tasks|lab|tests)/|[A-Z]+\.md)[\w./-]*)",
        README,
    )
    assert named
    assert [path for path in named if not (ROOT / path.rstrip(".")).exists()] == []
