"""stack.toml, whatever it may be: one fault with the name of the file, and no traceback."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tasks.declared.layers import Layer, defaults_layer, merge, toml_layer
from tasks.declared.stack import DeclarationError, declare
from tasks.words.toml import DEEPEST, LARGEST

ODD = {
    "no TOML": (b"a = \n", "is not valid TOML"),
    "no UTF-8": (b'ok = 1\na = "\xff"\n', "line 2 is not UTF-8"),
    "NUL bytes": (b"a = 1\0\n", "is not valid TOML"),
    "a NUL in a text": (b'gpu = "\\u0000"\n', "has a NUL character in gpu"),
    "a NUL in a key": (b'"\\u0000" = 1\n', "has a NUL character in a key"),
    "digits": (b"a = " + b"1" * 5000, "is not valid TOML"),
    "digits of a hexadecimal": (b"[b]\na = 0x" + b"f" * 5000, "more than 64 bits in b.a"),
    "a number beyond all": (b"disk_reserve_gb = 1e999", "no finite number in disk_reserve_gb"),
    "brackets": (b"a = " + b"[" * 10_000, "is nested deeper"),
    "inline tables": (b"a = " + b"{a=" * 10_000, "is nested deeper"),
    "lists": (b"a = " + b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), "is nested deeper"),
    "parts of a key": (b"a" + b".a" * 100_000 + b" = 1", "more than 200 dots"),
    "quoted parts of a key": (b'"a,"' + b'."a,"' * 30_000 + b" = 1", "more than 200 dots"),
    "parts of a table": (b"[a" + b".a" * 100_000 + b"]", "more than 200 dots"),
    "megabytes": (b"# x\n" * 1_300_000, "is larger than 256 KiB"),
}


def faults(path: Path) -> list[str]:
    layer, found = toml_layer(path)
    assert layer == Layer(str(path), {})
    return DeclarationError(found).faults


@pytest.mark.parametrize(("content", "cause"), ODD.values(), ids=ODD)
def test_attack_17_a_stack_toml_may_hold_anything(
    tmp_path: Path, content: bytes, cause: str
) -> None:
    path = tmp_path / "stack.toml"
    path.write_bytes(content)
    (fault,) = faults(path)
    assert fault.startswith(f"{path}: ") and cause in fault and len(fault) < 500


def test_attack_17_a_folder_or_a_pipe_named_stack_toml_is_told(tmp_path: Path) -> None:
    folder, pipe = tmp_path / "folder", tmp_path / "pipe"
    folder.mkdir()
    os.mkfifo(pipe)
    assert faults(folder) == [f"{folder}: is a folder: move it away, and write a file in its place"]
    assert "is no ordinary file" in faults(pipe)[0]


@pytest.mark.parametrize("name", ["a\0b", "file/stack.toml", "loop", "x" * 300])
def test_attack_17_a_path_that_cannot_be_opened_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    (fault,) = faults(tmp_path / name)
    assert "cannot be read: " in fault and "see that this user may read it" in fault


def test_attack_17_a_file_that_nobody_may_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: Any) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    assert "cannot be read: Permission denied" in faults(tmp_path / "stack.toml")[0]


def test_attack_17_such_a_file_is_a_fault_of_the_declaration(tmp_path: Path) -> None:
    layer, found = toml_layer(tmp_path)
    merged = merge([defaults_layer(), layer])
    merged.faults[:0] = found
    with pytest.raises(DeclarationError) as caught:
        declare(merged)
    assert f"{tmp_path}: is a folder" in str(caught.value)


def test_what_people_write_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "stack.toml"
    monkeypatch.delenv("STACK_FILE", raising=False)
    assert toml_layer(path) == (Layer(str(path), {}), [])
    no_proxy = ",".join(f"10.0.0.{number}" for number in range(200))
    path.write_bytes(f'no_proxy = "{no_proxy}"\r\n[models.qwen]\r\nport = 1\r\n'.encode())
    layer, found = toml_layer(path)
    assert (layer.values, found) == ({"no_proxy": no_proxy, "models": {"qwen": {"port": 1}}}, [])
    assert len(path.read_bytes()) < LARGEST
    assert toml_layer(Path(os.devnull)) == (Layer(os.devnull, {}), [])
    monkeypatch.setenv("STACK_FILE", "x")
    assert "there is no such file" in faults(tmp_path / "x")[0]


def test_a_stack_toml_may_name_its_version_which_is_no_setting(tmp_path: Path) -> None:
    path = tmp_path / "stack.toml"
    path.write_text('settings_version = 1\ngpu = "off"\n')
    layer, found = toml_layer(path)
    assert (layer.values, found) == ({"gpu": "off"}, [])
    stack = declare(merge([defaults_layer(), layer]))
    assert "settings_version" not in stack.model_dump_json()


def test_a_stack_toml_of_a_newer_version_is_refused_by_name_and_not_read(tmp_path: Path) -> None:
    path = tmp_path / "stack.toml"
    path.write_text("settings_version = 2\nsetting_of_tomorrow = 5\n")
    assert faults(path) == [
        f"{path}: is of version 2, and this ollama-stack reads up to 1:"
        " update ollama-stack (git pull)"
    ]


@pytest.mark.parametrize("version", ["0", "-1", '"1"', "1.0", "true", "[]"])
def test_what_is_no_version_is_told(tmp_path: Path, version: str) -> None:
    path = tmp_path / "stack.toml"
    path.write_text(f"settings_version = {version}\n")
    (fault,) = faults(path)
    assert fault.startswith(f"{path}: settings_version = ") and "is no version" in fault


def test_no_other_layer_has_a_version() -> None:
    for source in ("group_data/all.py", "group_data/gpu.py", "--data"):
        merged = merge([defaults_layer(), Layer(source, {"settings_version": 1})])
        with pytest.raises(DeclarationError) as caught:
            declare(merged)
        assert caught.value.faults == [f"{source}: settings_version: stack.toml alone has one"]
