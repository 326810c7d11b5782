"""The pinned clients: what is pinned, and when a set is built."""

from __future__ import annotations

import json
import platform
import re
from pathlib import Path

import pytest

from lab import clients
from lab.errors import LabError

REQUIREMENTS = ("aider", "python")
VERSION = re.compile(r"\d+\.\d+\.\d+")


def lines(name: str) -> list[str]:
    return (clients.PINS / name).read_text().splitlines()


def test_npm_packages_are_pinned_to_a_version_and_a_digest() -> None:
    wanted = json.loads((clients.PINS / "npm" / "package.json").read_text())["dependencies"]
    assert all(VERSION.fullmatch(version) for version in wanted.values())
    packages = json.loads((clients.PINS / "npm" / "package-lock.json").read_text())["packages"]
    for name, version in wanted.items():
        assert packages[f"node_modules/{name}"]["version"] == version
    for name, package in packages.items():
        assert not name or package["integrity"].startswith("sha512-")
        # The registry is the machine's own choice.
        assert "resolved" not in package


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_python_packages_are_pinned_to_a_version_and_digests(name: str) -> None:
    pinned = [line.split()[0] for line in lines(f"{name}.txt") if line[0] != " "]
    assert all("==" in requirement for requirement in pinned)
    assert "".join(lines(f"{name}.txt")).count("--hash=sha256:") >= len(pinned)
    assert set(lines(f"{name}.in")) <= set(pinned)


def test_other_pins_are_another_folder(tmp_path: Path) -> None:
    pins = tmp_path / "pins.txt"
    pins.write_text("one")
    first = clients.folder_of("npm", pins)
    pins.write_text("two")
    assert clients.folder_of("npm", pins) != first
    assert first.name.startswith("npm-")


def test_a_set_is_built_once(tmp_path: Path) -> None:
    pins, built = tmp_path / "pins.txt", []
    pins.write_text("one")

    def build(folder: Path) -> None:
        folder.mkdir()
        built.append(folder)

    folder = clients.installed("set", pins, "Build", build)
    assert clients.installed("set", pins, "Build", build) == folder
    assert built == [folder]


def test_a_set_that_was_interrupted_is_built_anew(tmp_path: Path) -> None:
    pins = tmp_path / "pins.txt"
    pins.write_text("one")

    def fail(folder: Path) -> None:
        folder.mkdir()
        (folder / "half").touch()
        raise LabError("no network", "run again")

    with pytest.raises(LabError):
        clients.installed("set", pins, "Build", fail)
    folder = clients.installed("set", pins, "Build", Path.mkdir)
    assert not (folder / "half").exists()


@pytest.mark.parametrize(
    ("version", "will_do"),
    [("v20.20.2", True), ("v24.0.0", True), ("v18.19.0", False), ("", False), ("x", False)],
)
def test_node_has_to_be_new_enough(version: str, will_do: bool) -> None:
    assert clients.is_new_enough(version) is will_do


def test_without_node_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "find", lambda program: None)
    monkeypatch.setattr(clients, "MACHINE", (platform.system(), platform.machine()))
    with pytest.raises(LabError) as caught:
        clients.ensure()
    assert caught.value.cause == "Node.js is not installed"
    assert "nodejs.org" in caught.value.remedy


def test_another_machine_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(LabError, match="riscv64"):
        clients.ensure()
