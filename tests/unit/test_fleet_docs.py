"""The examples for fleets: what a person copies from docs/fleet.md and inventory.py is valid."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from console.looking.fleet import hosts_in
from tasks.declared.layers import ROOT, Layer, defaults_layer, merge, python_settings
from tasks.declared.stack import declare

BLOCK = re.compile(r"```python\n# (?P<file>\S+)\n(?P<code>.*?)```", re.DOTALL)
BLOCKS = {m["file"]: m["code"] for m in BLOCK.finditer((ROOT / "docs" / "fleet.md").read_text())}
GROUPS = sorted(file for file in BLOCKS if file.startswith("group_data/"))


@pytest.mark.parametrize("file", GROUPS)
def test_each_groups_file_is_a_valid_declaration_that_changes_what_it_names(file: str) -> None:
    values: dict[str, object] = {}
    exec(BLOCKS[file], values)
    layer = Layer(file, python_settings(values))
    stack = declare(merge([defaults_layer(), layer]))
    assert stack.gpu == values["gpu"]
    overrides = layer.values["models_override"]
    for service in stack.services:
        for key, value in overrides[service.name].items():
            assert getattr(service, key) == value
    defaults = declare(merge([defaults_layer()]))
    assert [s.port for s in stack.services] == [s.port for s in defaults.services]


def test_the_example_of_the_inventory_is_the_documented_one(tmp_path: Path) -> None:
    commented = re.findall(r"^# ?(.*)$", (ROOT / "inventory.py").read_text(), re.MULTILINE)
    assert "\n".join(commented).strip() == BLOCKS["inventory.py"].strip()
    path = tmp_path / "inventory.py"
    path.write_text(BLOCKS["inventory.py"])
    assert hosts_in(path) == {"ws1", "ws2", "ws3"}


def test_each_groups_file_belongs_to_a_group_of_the_example() -> None:
    values: dict[str, object] = {}
    exec(BLOCKS["inventory.py"], values)
    assert {Path(file).stem for file in GROUPS} <= values.keys()
