"""The files of clients: what one converge writes, keeps, mends and puts back"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tasks.clients.jsonc import JsoncDocument
from tasks.servers.context import tokens_read
from tasks.shell.local import LocalShell
from tests.stack.conftest import Maker
from tests.stack.installation import Installation

CLIENTS = ["auto", "kilo", "kilo-legacy", "continue", "opencode", "aider", "llm", "vscode"]
KILO = ".config/kilo/kilo.jsonc"
SETTINGS = ".config/Code/User/settings.json"
FONT = '{\n    "editor.fontSize": 14,\n}'
MINE = '{\n  // mine\n  "theme": "dark", // of course\n  "provider": {"own": {"npm": "x"}}\n}\n'


@pytest.fixture(scope="module")
def stack(make: Maker, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation with a home folder of its own, in which a person has Kilo and VS Code."""
    home = tmp_path_factory.mktemp("a home")
    (home / KILO).parent.mkdir(parents=True)
    (home / KILO).write_text(MINE)
    (home / ".config/Code/User").mkdir(parents=True)
    (home / SETTINGS).write_text(FONT)
    installation = make(home=str(home), settings={"clients": [*CLIENTS, "open-webui"]})
    output = installation.converge()
    assert output.status == 0, output.text
    return installation


def at(stack: Installation, path: str) -> Path:
    return Path(stack.home) / path


def kilo(stack: Installation) -> Any:
    return JsoncDocument(at(stack, KILO).read_bytes()).get(())


def provider(stack: Installation, service: str) -> Any:
    return kilo(stack)["provider"].get(stack.name(service))


def files(stack: Installation) -> dict[str, tuple[bytes, int, int]]:
    """Return every file of the home folder: content, mode, and when it was changed."""
    found = {}
    for path in sorted(Path(stack.home).rglob("*")):
        if path.is_file():
            stat = path.stat()
            found[str(path)] = (path.read_bytes(), stat.st_mode, stat.st_mtime_ns)
    return found


def test_one_converge_wires_them_all(stack: Installation) -> None:
    assert provider(stack, "deepseek")["options"]["baseURL"] == f"{stack.url('deepseek')}/v1"
    assert kilo(stack)["agent"]["debug"]["permission"] == {"*": "deny"}
    assert "permission" not in kilo(stack)["agent"]["code"]
    assert kilo(stack)["theme"] == "dark"
    config = YAML(typ="safe").load(at(stack, ".continue/config.yaml"))
    assert {model["apiBase"] for model in config["models"]} == {
        stack.url(name) for name in ("qwen", "deepseek", "mistral")
    }
    assert "autocomplete" in config["models"][0]["roles"]
    settings = JsoncDocument(at(stack, SETTINGS).read_bytes())
    assert settings.get(("kilo-code.new.autocomplete.enableAutoTrigger",)) is False
    legacy = Path(settings.get(("kilo-code.autoImportSettingsPath",)))
    assert json.loads(legacy.read_text())["providerProfiles"]["currentApiConfigName"]
    assert os.access(at(stack, f".local/bin/{stack.name('qwen')}"), os.X_OK)


def test_what_was_done_is_in_the_history(stack: Installation) -> None:
    told = stack.main("history", "-n", "50").text
    assert "connect kilo of" in told


def test_fault_28_a_second_run_leaves_every_byte_and_time_alone(stack: Installation) -> None:
    before = files(stack)
    output = stack.converge()
    assert (output.status, output.done, files(stack)) == (0, [], before)


def test_drift_of_ours_is_mended_and_the_persons_own_stays(stack: Installation) -> None:
    path = at(stack, KILO)
    first = path.read_text()
    path.write_text(first.replace(str(stack.port("qwen")), "9").replace('"dark"', '"light"'))
    planned = stack.dry().planned
    output = stack.converge()
    assert planned == output.planned
    assert any("edited by hand: provider." in step for step in output.done)
    assert path.read_text() == first.replace('"dark"', '"light"')
    path.write_text(first)
    assert stack.converge().done == []


def test_a_file_that_was_removed_comes_back(stack: Installation) -> None:
    wrapper = at(stack, f".local/bin/{stack.name('qwen')}")
    text = wrapper.read_text()
    wrapper.unlink()
    assert stack.converge().status == 0
    assert wrapper.read_text() == text and os.access(wrapper, os.X_OK)


def test_files_that_cannot_be_written_are_all_named_and_stop_no_other(stack: Installation) -> None:
    kilo_file, continue_file = at(stack, KILO), at(stack, ".continue/config.yaml")
    wrapper = at(stack, f".local/bin/{stack.name('qwen')}")
    before = kilo_file.read_bytes(), continue_file.read_bytes(), wrapper.read_bytes()
    kilo_file.write_text("{")
    continue_file.write_text("models: [\n")
    wrapper.unlink()
    dry = stack.dry()
    output = stack.converge()
    listed = json.loads(stack.main("connect", "--json").text)["clients"]
    kilo_file.write_bytes(before[0])
    continue_file.write_bytes(before[1])
    assert (dry.status, output.status) == (1, 1)
    assert dry.planned == output.planned
    for told in (dry.text, output.last):
        assert "~/.config/kilo/kilo.jsonc, line 1" in told
        assert "~/.continue/config.yaml, line" in told
    assert wrapper.read_bytes() == before[2]
    assert {row["client"] for row in listed if row["differing"]} == {"kilo", "continue"}
    assert stack.converge().done == []


def test_what_is_ours_is_known_where_its_record_is_lost(stack: Installation) -> None:
    folder = at(stack, ".local/state/ollama-stack") / stack.prefix
    record = folder / "llm.record"
    record.write_text("{")
    damaged = stack.converge()
    assert damaged.status == 1 and "llm.record: it is damaged" in damaged.last
    record.unlink()
    assert stack.converge().status == 0
    assert stack.main("connect", "--remove", "llm").status == 0
    left = at(stack, ".config/io.datasette.llm/extra-openai-models.yaml").read_text()
    stack.write()
    assert stack.name("qwen") not in left
    assert stack.converge().status == 0


def test_a_changed_declaration_changes_the_files_in_the_same_converge(stack: Installation) -> None:
    before = dict(stack.declared["models"]["mistral"])
    stack.write(mistral={"port": stack.first_port + 6, "context": 1024, "model": "tiny-qwen:v1"})
    output = stack.converge()
    assert output.status == 0, output.text
    found = provider(stack, "mistral")
    assert found["options"]["baseURL"] == f"http://127.0.0.1:{stack.first_port + 6}/v1"
    assert found["models"]["tiny-qwen:v1"]["limit"]["context"] == 1024
    stack.write(mistral={"active": False})
    assert stack.converge().status == 0
    assert provider(stack, "mistral") is None
    assert "plan" not in kilo(stack)["agent"]
    assert not at(stack, f".local/bin/{stack.name('mistral')}").exists()
    stack.declared["models"]["mistral"] = before
    stack.write()
    assert stack.converge().status == 0
    assert provider(stack, "mistral")["options"]["baseURL"] == f"{stack.url('mistral')}/v1"


def test_the_roles_needs_are_told_by_name(stack: Installation) -> None:
    proven = stack.proven("deepseek").models["tiny-deepseek:v1"]
    assert "tools" not in proven.abilities and "completion" in proven.abilities
    told = stack.main("doctor").text
    assert "deepseek: abilities" in told and "lacks thinking" in told


def test_a_prompt_over_the_context_is_counted_and_told(stack: Installation) -> None:
    shell, url = LocalShell(), stack.url("qwen")
    read = tokens_read(shell, url, "tiny-qwen:v1", 2048, limit=60, unload=True)
    assert read == 2048
    stack.ask("qwen", "/api/create", {
        "model": "short:v1", "from": "tiny-qwen:v1", "parameters": {"num_ctx": 512},
        "stream": False,
    })  # fmt: skip
    assert tokens_read(shell, url, "short:v1", 2048, limit=60, unload=True) == 512
    stack.delete_model("qwen", "short:v1")
    long = {"model": "tiny-qwen:v1", "prompt": "word " * 5000, "options": {"num_predict": 1}}
    assert (
        stack.ask("qwen", "/api/generate", {**long, "stream": False})["prompt_eval_count"] == 2048
    )
    told = stack.main("doctor").text
    assert "qwen: context" in told and "longer and cut" in told


SHAPES: dict[str, bytes] = {
    "comments": MINE.encode(),
    "trailing commas": b'{\n  "a": [1, 2,],\n  "b": {"c": 1,},\n}\n',
    "foreign providers": b'{"provider": {"mine": {"npm": "x"}}, "model": "mine/m"}\n',
    "other indentation": b'{\n\t"agent": {\n\t\t"code": {\n\t\t\t"prompt": "x"\n\t\t}\n\t}\n}',
    "CRLF": b'{\r\n  "theme": "dark"\r\n}\r\n',
    "a mark and no newline": b"\xef\xbb\xbf{}",
}


@pytest.fixture
def alone(stack: Installation, tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Kilo's file in another home folder, which holds nothing else."""
    before = stack.home, stack.declared["clients"]
    stack.home = str(tmp_path)
    stack.write(clients=[])

    def write(content: bytes, mode: int = 0o640) -> Path:
        path = tmp_path / KILO
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)
        return path

    yield write
    stack.home, clients = before
    stack.write(clients=clients)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_file_of_any_shape_is_put_back_byte_for_byte(
    stack: Installation, alone: Callable[..., Path], shape: str
) -> None:
    path = alone(SHAPES[shape])
    assert stack.main("connect", "kilo").status == 0
    assert provider(stack, "qwen")
    assert path.stat().st_mode & 0o777 == 0o640
    assert stack.main("connect", "kilo").text.startswith("nothing to do")
    assert stack.main("connect", "--remove").status == 0
    assert path.read_bytes() == SHAPES[shape]


def test_what_a_person_wrote_meanwhile_stays(
    stack: Installation, alone: Callable[..., Path]
) -> None:
    path = alone(MINE.encode())
    stack.main("connect", "kilo")
    path.write_text(path.read_text().replace('"dark"', '"light"'))
    assert stack.main("connect", "--remove").status == 0
    assert path.read_text() == MINE.replace('"dark"', '"light"')


@pytest.mark.parametrize("case", ["invalid", "read-only", "another's", "a link", "a dangling link"])
def test_what_must_not_be_written_is_left_alone_and_named(
    stack: Installation, alone: Callable[..., Path], case: str
) -> None:
    content = b'{\n  "a": 1\n  "b": 2\n}\n' if case == "invalid" else MINE.encode()
    path = alone(content, 0o440 if case == "read-only" else 0o640)
    target = path.with_name("dotfile")
    if case == "another's":
        os.chown(path, 12345, -1)
    if "link" in case:
        path.rename(target)
        path.symlink_to(target)
    if case == "a dangling link":
        target.unlink()
    output = stack.main("connect", "kilo")
    if case == "a link":
        assert output.status == 0 and path.is_symlink() and b"provider" in target.read_bytes()
        assert stack.main("connect", "--remove").status == 0
        assert path.is_symlink() and target.read_bytes() == content
        return
    words = {"invalid": "line 3", "read-only": "is read-only", "another's": "belongs to 12345"}
    assert output.status == 1
    assert words.get(case, "is not there") in output.text and "remedy:" in output.text
    assert case == "a dangling link" or path.read_bytes() == content


def test_connect_lists_prints_and_declares(stack: Installation, alone: Callable[..., Path]) -> None:
    listed = json.loads(stack.main("connect", "--json").text)["clients"]
    assert {row["client"] for row in listed if row["declared"]} == set()
    printed = stack.main("connect", "--print", "llm").text
    assert f"api_base: {stack.url('qwen')}/v1" in printed
    assert "would declare" in stack.main("connect", "llm", "--dry").text
    assert stack.main("connect", "llm").status == 0
    assert 'clients = ["llm"]' in stack.stack_file.read_text()
    stack.declared["clients"] = ["llm"]
    assert stack.converge().done == [], "the converge keeps to what was connected by hand"


def test_env_is_what_a_shell_evaluates(stack: Installation) -> None:
    script = 'eval "$("$0" env qwen --openai)"; echo $OLLAMA_HOST $OPENAI_BASE_URL'
    words = ["bash", "-c", script, str(Path(__file__).parents[2] / "main.sh")]
    done = subprocess.run(words, env=stack.environment, text=True, capture_output=True, check=True)
    assert done.stdout.split() == [stack.url("qwen"), f"{stack.url('qwen')}/v1"]


def test_the_command_of_a_service_speaks_to_its_server(stack: Installation) -> None:
    assert stack.converge().status == 0
    wrapper = at(stack, f".local/bin/{stack.name('deepseek')}")
    path = ":".join(p for p in os.environ["PATH"].split(":") if not shutil.which("ollama", path=p))
    done = subprocess.run(
        [wrapper, "list"],
        env={**os.environ, "PATH": path},
        text=True,
        capture_output=True,
        check=True,
    )
    assert "tiny-deepseek:v1" in done.stdout and "tiny-qwen" not in done.stdout


def test_removing_the_stack_puts_every_file_back(stack: Installation) -> None:
    output = stack.pyinfra("-y", deploy="deploys/remove.py")
    assert output.status == 0, output.text
    left = {
        str(path.relative_to(stack.home)): path.read_text()
        for path in Path(stack.home).rglob("*")
        if path.is_file() and not path.name.startswith(("llm", "extra-openai"))
    }
    assert left == {
        KILO: MINE,
        ".config/Code/User/settings.json": '{\n    "editor.fontSize": 14,\n}',
    }
    assert not at(stack, ".continue").exists()
