"""stack.toml, edited for a run: what a person wrote stays, and a failed run leaves no trace."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.changing.log import note_edits
from console.changing.stack_toml import (
    Declaration,
    edited,
    edits_back,
    edits_to,
    remove_leftovers_of,
)
from tasks.records.lockfile import LockFile
from tasks.records.proven import Proven
from tasks.words.steps import LOCAL
from tests.unit.tasks.samples import stack

STACK = stack()
QWEN = STACK.services[0]
OLD, NEW = "ollama/ollama:0.17.4", STACK.image
TEXT = """# mine
image   =  "ollama/ollama:0.24.0"   # the tested one

[models.qwen]  # completion
context = 8192
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "stack.toml"
    monkeypatch.setenv("STACK_FILE", str(path))
    # The log of this folder's own stack is no place for tests.
    monkeypatch.setattr("tasks.records.runlog.rooted", lambda name: tmp_path / name)
    return path


def lock(path: Path, *images: str) -> LockFile:
    made = LockFile(path / "stack.lock")
    for image in images:
        made.put(LOCAL, "qwen", Proven(image, f"sha256:{image}", "2026"), {})
    return made


def test_comments_order_and_spelling_stay() -> None:
    text = edited(TEXT, {("image",): "x/y:1", ("models", "qwen", "image"): "x/y:2"})
    assert text == (
        TEXT.replace("ollama/ollama:0.24.0", "x/y:1").rstrip("\n") + '\nimage = "x/y:2"\n'
    )


@pytest.mark.parametrize("text", ["", "models = {qwen = {context = 512}}\n", "[models.qwen]\n"])
def test_every_way_to_write_a_table_can_be_edited(text: str) -> None:
    import tomllib  # noqa: PLC0415

    value = tomllib.loads(edited(text, {("models", "qwen", "image"): "x/y:2"}))
    assert value["models"]["qwen"]["image"] == "x/y:2"


def test_another_tag_is_declared_for_all_or_for_one() -> None:
    assert edits_to(STACK, None, "", "0.25.0") == {("image",): "ollama/ollama:0.25.0"}
    key = ("models", "qwen", "image")
    assert edits_to(STACK, QWEN, "", "0.25.0") == {key: "ollama/ollama:0.25.0"}
    model = ("models", "qwen", "model")
    assert edits_to(STACK, QWEN, "models", "14b") == {model: "qwen2.5-coder:14b"}


def test_a_service_declares_no_image_of_its_own_where_it_is_everybodys() -> None:
    own = STACK.model_copy(update={"services": (QWEN.model_copy(update={"image": OLD}),)})
    assert edits_to(own, own.services[0], "", "0.24.0") == {("models", "qwen", "image"): None}
    assert edited(TEXT + f'image = "{OLD}"\n', {("models", "qwen", "image"): None}) == TEXT


def test_line_ends_stay(file: Path) -> None:
    file.write_bytes(TEXT.replace("\n", "\r\n").encode())
    with Declaration().edit({("image",): OLD}, is_dry=False):
        assert file.read_bytes().count(b"\r\n") == TEXT.count("\n")


@pytest.mark.parametrize("tag", ["", "a b", "x:y", "../z"])
def test_what_is_no_tag_is_refused(tag: str) -> None:
    with pytest.raises(ValueError, match="should be"):
        edits_to(STACK, QWEN, "", tag)
    with pytest.raises(ValueError, match="should be"):
        edits_to(STACK, QWEN, "models", tag)


def test_a_rollback_declares_what_was_proven_before(tmp_path: Path) -> None:
    edits = edits_back(STACK, [QWEN], lock(tmp_path, OLD, NEW))
    assert edits == {("models", "qwen", "image"): OLD}
    assert edits_back(STACK, [QWEN], lock(tmp_path, OLD, NEW), "models") == {}


def test_a_failed_run_leaves_the_file_byte_for_byte(file: Path, tmp_path: Path) -> None:
    file.write_text(TEXT)
    edits = {("image",): OLD}
    declaration = Declaration()
    with declaration.edit(edits, is_dry=False) as path:
        assert OLD in path.read_text()
    assert declaration.take_back(edits, STACK, lock(tmp_path)) == []
    assert file.read_text() == TEXT


def test_a_file_that_was_not_there_goes_again(file: Path, tmp_path: Path) -> None:
    declaration = Declaration()
    with declaration.edit({("image",): OLD}, is_dry=False):
        assert file.exists()
    declaration.take_back({("image",): OLD}, STACK, lock(tmp_path))
    assert not file.exists()


def test_who_was_proven_keeps_it_and_what_others_wrote_meanwhile_stays(
    file: Path, tmp_path: Path
) -> None:
    file.write_text(TEXT)
    edits = {("image",): OLD}
    declaration = Declaration()
    with declaration.edit(edits, is_dry=False):
        file.write_text(file.read_text() + "parallel = 2\n")
    assert declaration.take_back(edits, STACK, lock(tmp_path, OLD)) == ["qwen"]
    text = file.read_text()
    assert 'image   =  "ollama/ollama:0.24.0"' in text
    assert f'image = "{OLD}"' in text
    assert "parallel = 2" in text


def test_a_dry_run_sees_a_copy_that_is_nobody_elses_to_read(file: Path) -> None:
    file.write_text(TEXT)
    file.chmod(0o600)
    with Declaration().edit({("image",): OLD}, is_dry=True) as copy:
        assert OLD in copy.read_text()
        assert copy.stat().st_mode & 0o777 == 0o600
        assert file.read_text() == TEXT
    assert not copy.exists()


def test_attack_23_what_killed_commands_left_beside_stack_toml_goes(
    file: Path, tmp_path: Path
) -> None:
    file.write_text(TEXT)
    with Declaration().edit({("image",): OLD}, is_dry=True) as copy:
        left = tmp_path / f".dry-{2**22 + 1}-stack.toml"
        for name in (left.name, ".stack.toml.k3j_x0ab", ".dry-mine-stack.toml"):
            (tmp_path / name).write_text("HF_TOKEN")
        remove_leftovers_of(file)
        assert copy.exists(), "its process lives"
    assert {p.name for p in tmp_path.iterdir()} == {file.name, ".dry-mine-stack.toml"}


def test_each_edit_is_written_into_the_log_and_a_dry_one_is_not(file: Path, tmp_path: Path) -> None:
    edits = {("image",): OLD, ("models", "qwen", "environment"): "HF_TOKEN = abcdef"}
    log = tmp_path / ".ollama-stack.log"
    with Declaration().edit({("image",): OLD}, is_dry=True):
        assert not log.exists()
    with Declaration().edit({("image",): OLD}, is_dry=False):
        assert f"stack.toml declares image = '{OLD}'" in log.read_text()
    note_edits("stack.toml", edits)
    assert "declares models.qwen.environment = …" in log.read_text()


def test_a_link_stays_a_link(file: Path, tmp_path: Path) -> None:
    (tmp_path / "real.toml").write_text(TEXT)
    file.symlink_to(tmp_path / "real.toml")
    with Declaration().edit({("image",): OLD}, is_dry=False):
        assert file.is_symlink()
        assert OLD in file.read_text()
