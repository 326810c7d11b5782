"""The look at a user, by the shell of this machine, in a home folder of the test's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasks.clients.documents import EDITIONS, FOUND_BY, places
from tasks.clients.look import ObservedUser, look
from tasks.clients.record import Record
from tasks.shell.local import LocalShell
from tests.unit.tasks.samples import stack

KILO = "@config/kilo/kilo.jsonc"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = tmp_path / "a home"
    found.mkdir()
    monkeypatch.setenv("HOME", str(found))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    return found


def seen() -> ObservedUser:
    found = look(LocalShell(), {**FOUND_BY, **EDITIONS}, places(stack()), "ollama-")
    assert found is not None
    return found


def test_an_empty_home_has_the_shell_and_no_files(home: Path) -> None:
    found = seen()
    assert (found.uid, found.home, found.config) == (os.getuid(), str(home), f"{home}/.config")
    assert found.found == {"shell"}
    assert {file.kind for file in found.files.values()} == {"absent"}
    assert found.files[KILO].missing_folders == (f"{home}/.config/kilo", f"{home}/.config")


def test_folders_of_xdg_are_the_users(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", f"{home}/else")
    assert seen().path(KILO) == f"{home}/else/kilo/kilo.jsonc"


@pytest.mark.parametrize(
    ("trace", "client"),
    [
        (".config/kilo/", "kilo"),
        (".vscode/extensions/kilocode.kilo-code-7.1.0/", "kilo"),
        (".vscode-server/extensions/kilocode.kilo-code-7.1.0/", "kilo"),
        (".vscode/extensions/kilocode.kilo-code-5.2.1/", "kilo-legacy"),
        (".vscode/extensions/continue.continue-1.2.0-linux-x64/", "continue"),
        (".continue/", "continue"),
        (".local/bin/opencode", "opencode"),
        (".opencode/bin/opencode", "opencode"),
        (".aider.conf.yml", "aider"),
        (".local/bin/llm", "llm"),
        (".config/Code/User/", "vscode"),
        (".config/VSCodium/User/", "in-vscodium"),
    ],
)
def test_a_client_is_found_by_its_program_its_folder_or_its_extension(
    home: Path, trace: str, client: str
) -> None:
    path = home / trace
    path.parent.mkdir(parents=True, exist_ok=True)
    if trace.endswith("/"):
        path.mkdir()
    else:
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    assert client in seen().found


def test_a_file_is_read_whatever_it_holds(home: Path) -> None:
    path = home / ".config/kilo/kilo.jsonc"
    path.parent.mkdir(parents=True)
    content = bytes(range(256)) + "\r\n##file x\né".encode()
    path.write_bytes(content)
    path.chmod(0o640)
    found = seen().files[KILO]
    assert (found.kind, found.mode, found.content) == ("file", 0o640, content)
    assert (found.uid, found.is_writable, found.is_replaceable) == (os.getuid(), True, True)


def test_a_link_is_followed_and_a_dangling_one_said_to_be_one(home: Path) -> None:
    target = home / "dotfiles"
    (home / ".aider.conf.yml").symlink_to(target)
    assert seen().files["~/.aider.conf.yml"].kind == "dangling"
    target.write_text("model: x\n")
    found = seen().files["~/.aider.conf.yml"]
    assert (found.kind, found.real, found.content) == ("file", str(target), b"model: x\n")


def test_a_folder_in_the_way_is_one_and_a_huge_file_is_not_read(home: Path) -> None:
    (home / ".aider.conf.yml").mkdir()
    (home / ".aider.model.settings.yml").write_bytes(b"#" * (1024**2 + 1))
    found = seen().files
    assert found["~/.aider.conf.yml"].kind == "folder"
    huge = found["~/.aider.model.settings.yml"]
    assert (huge.kind, huge.size, huge.content) == ("file", 1024**2 + 1, None)


def test_what_we_wrote_down_is_found_with_the_file_that_it_tells_of(home: Path) -> None:
    elsewhere = home / "of a service that is no more"
    elsewhere.write_text("ours")
    record = Record(str(elsewhere), "shell", "0" * 64)
    folder = home / ".local/state/ollama-stack/ollama-"
    folder.mkdir(parents=True)
    (folder / "shell-ollama-old.record").write_bytes(record.to_bytes())
    (folder / "kilo.backup").write_text("the user's")
    found = seen()
    assert {name: Record.of(data) for name, data in found.records.items()} == {
        "shell-ollama-old": record
    }
    assert found.files[str(elsewhere)].content == b"ours"
