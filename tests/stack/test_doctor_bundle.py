"""The doctor's findings, its bundle without secrets, and the log of what was changed."""

from __future__ import annotations

import base64
import json
import signal
import socket
import sqlite3
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tasks.run.hostlock import holder_script
from tests.stack.conftest import Maker
from tests.stack.installation import OWN_SOCKET, Installation
from tests.stack.test_console import console

PASSWORD, TOKEN, ODD = "Sesame-0pen/up", "hf_AbCdEf123456", 'tür "auf"\'s \\ %41\nzweite Zeile'
PLAIN, BEHIND_A_NAME = "plain-jane-77", "nobody-would-guess-4711"
UNDECLARED = "sk-of-somebody-0815"
SECRETS = (PASSWORD, TOKEN, ODD, "zweite Zeile", PLAIN, BEHIND_A_NAME, UNDECLARED)
SPELLINGS = {
    *SECRETS,
    "Sesame-0pen%2Fup",
    json.dumps(ODD)[1:-1],
    json.dumps(ODD, ensure_ascii=False)[1:-1],
    base64.b64encode(f"ada:{PASSWORD}".encode()).decode().rstrip("="),
}
ENVIRONMENT = {
    "HF_TOKEN": TOKEN,
    "ODD_ONE": ODD,
    "ALL_PROXY": f"socks5://ada:{PLAIN}@127.0.0.1:9",
    "MY_SETTING": BEHIND_A_NAME,
    "OLLAMA_DEBUG": "1",
}


@pytest.fixture(scope="module")
def stack(make: Maker) -> Installation:
    """An installation whose declaration holds secrets in several shapes, converged once."""
    # A proxy is a setting of an engine at its own socket only.
    installation = make(
        docker_socket=OWN_SOCKET,
        settings={
            "https_proxy": f"http://ada:{PASSWORD.replace('/', '%2F')}@127.0.0.1:9",
            "no_proxy": "127.0.0.1,172.17.0.1,172.17.0.250,localhost",
        },
    )
    # Two services are enough here, and quicker.
    installation.write(qwen={"environment": ENVIRONMENT}, deepseek={"active": False})
    installation.stack_file.chmod(0o600)
    output = installation.converge()
    assert output.status == 0, output.text
    return installation


@contextmanager
def declared(stack: Installation, text: str) -> Iterator[None]:
    """Declare something else for a moment."""
    good = stack.stack_file.read_text()
    stack.stack_file.write_text(text)
    try:
        yield
    finally:
        stack.stack_file.write_text(good)


def log(stack: Installation) -> Path:
    return stack.database.parent / ".ollama-stack.log"


def unpacked(stack: Installation, name: str) -> dict[str, bytes]:
    """Return the files of a bundle by name, after a look at what nobody may find there."""
    path = stack.folder / name
    assert path.stat().st_mode & 0o777 == 0o600
    with tarfile.open(path) as archive:
        found = {m.name.partition("/")[2]: archive.extractfile(m) for m in archive.getmembers()}
        files = {name: file.read() for name, file in found.items() if file is not None}
    for file, content in files.items():
        leaked = [spelt for spelt in SPELLINGS if spelt.encode() in content]
        assert not leaked, f"{file} holds {leaked}"
    return files


def findings(stack: Installation) -> dict[str, dict[str, Any]]:
    return {check["what"]: check for check in json.loads(console(stack, "doctor", "--json").stdout)}


def test_a_healthy_stack_is_well(stack: Installation) -> None:
    result = console(stack, "doctor")
    assert result.returncode == 0, result.stdout
    assert "✗" not in result.stdout
    assert "it has what is declared of it (2)" in result.stdout
    assert "any Host header is answered" in result.stdout, "fault 27"
    assert result.stdout.count("tokens on CPU") == 2


def test_the_log_tells_each_change_with_its_why_and_no_secret(stack: Installation) -> None:
    text = log(stack).read_text()
    assert log(stack).stat().st_mode & 0o777 == 0o600
    lines = [line.split(" ", 5)[-1] for line in text.splitlines() if " INFO " in line]
    history = json.loads(console(stack, "history", "--json", "-n", "200").stdout)
    assert " begin: pyinfra @local deploys/stack.py -y (PID " in text
    assert len(lines) == len(history) + 2
    for event in history:
        why = f" ({event['why']})" if event["why"] else ""
        assert f"{event['service']}: {event['action']} {event['subject']}{why}" in text
    assert text.rstrip().endswith(f"end: done, changes: {len(history)}, failures: 0")
    assert not [spelt for spelt in SPELLINGS if spelt in text]


def test_a_converge_without_changes_leaves_the_log_alone(stack: Installation) -> None:
    before = log(stack).read_bytes(), log(stack).stat().st_mtime_ns
    assert stack.converge().status == 0
    assert console(stack, "pull", "mistral", "no-such:v1", "--dry").returncode == 1
    assert (log(stack).read_bytes(), log(stack).stat().st_mtime_ns) == before


def test_verbs_their_edits_and_their_failures_are_logged(stack: Installation) -> None:
    result = console(stack, "pull", "mistral", "no-such:v1")
    stack.write()
    assert result.returncode == 1
    text = log(stack).read_text()
    assert "console main.sh pull mistral no-such:v1: stack.toml declares" in text
    assert " for main.sh pull mistral no-such:v1 (PID " in text
    (error,) = [line for line in text.splitlines() if " ERROR " in line]
    assert "has no model no-such:v1" in error and "remedy: " in error
    assert "end: failed, changes: 0, failures: 1" in text


def test_verbose_shows_requests_and_times_and_no_secret(stack: Installation) -> None:
    result = console(stack, "-v", "status", "--json")
    assert json.loads(result.stdout)
    assert "HTTP 200 http://docker/version" in result.stderr
    assert f"{stack.url('qwen')}/api/tags" in result.stderr
    assert not [spelt for spelt in SPELLINGS if spelt in result.stderr + result.stdout]


def test_the_bundle_holds_everything_but_secrets(stack: Installation) -> None:
    failed = stack.database.parent / ".failed" / "ostest-old.log"
    failed.parent.mkdir()
    failed.write_text(f"{BEHIND_A_NAME} was refused\nodd: {ODD}\nfor {PASSWORD!r} {UNDECLARED}\n")
    result = console(stack, "doctor", "--bundle", "all.tar.gz")
    assert result.returncode == 0, result.stdout
    assert "look through it before" in result.stdout
    files = unpacked(stack, "all.tar.gz")
    raw = stack.client.containers.get(stack.name("qwen")).logs().decode()
    assert "Sesame-0pen%2Fup" in raw, "Ollama writes its proxy into its log"
    assert TOKEN in json.dumps(stack.inspect("qwen"))
    for name in ("qwen", "mistral"):
        inspected = json.loads(files[f"containers/{stack.name(name)}.json"])
        assert inspected["Name"] == f"/{stack.name(name)}"
        assert b"Listening on" in files[f"containers/{stack.name(name)}.log"]
    assert json.loads(files["versions.json"])["docker"]
    assert [s["name"] for s in json.loads(files["status.json"])["services"]]
    assert {row["name"] for row in json.loads(files["database/models.json"])} == set(stack.rows())
    values = json.loads(files["declaration.json"])["settings"]
    assert values["models.qwen.port"] == {
        "value": stack.port("qwen"),
        "from": str(stack.stack_file),
    }
    assert values["keep_alive"]["from"] == "group_data/all.py"
    assert values["models.qwen.environment"]["value"]["OLLAMA_DEBUG"] == "1"
    assert set(values["models.qwen.environment"]["value"]) == set(ENVIRONMENT)
    assert b"127.0.0.1:9" in files["stack.toml"], "what is no secret stays"
    assert b"begin: " in files["log/ollama-stack.log"]
    assert json.loads(files["doctor.json"])
    assert b"tiny-qwen:v1" in files["stack.lock"]
    assert b"was refused" in files["failed/ostest-old.log"]
    assert files["README.txt"].decode().splitlines()[0].split()[0] == "doctor.txt"


def test_a_bundle_is_never_written_over_another_file(stack: Installation) -> None:
    (stack.folder / "mine.tar.gz").write_text("mine")
    result = console(stack, "doctor", "--bundle", "mine.tar.gz")
    assert result.returncode == 2
    assert (stack.folder / "mine.tar.gz").read_text() == "mine"


def test_without_docker_the_bundle_says_so_and_is_made(stack: Installation) -> None:
    text = stack.stack_file.read_text().replace(stack.docker_socket, "/nowhere/docker.sock")
    with declared(stack, text):
        result = console(stack, "doctor", "--json", "--bundle")
    assert result.returncode == 1
    assert not {c["what"]: c for c in json.loads(result.stdout)}["Docker Engine"]["is_well"]
    (path,) = stack.folder.glob("ollama-stack-doctor-*Z.tar.gz")
    files = unpacked(stack, path.name)
    assert b"/nowhere/docker.sock" in files["containers.not-there.txt"]
    assert b"no Docker Engine answers" in files["doctor.txt"]
    assert "database/models.json" in files


@pytest.mark.parametrize("fault", ["unknown key", "no TOML"])
def test_with_an_invalid_declaration_the_bundle_tells_its_faults(
    stack: Installation, fault: str
) -> None:
    good = stack.stack_file.read_text()
    added = {
        "unknown key": f'[models.qwen.enviroment]\nMY_THING = "{BEHIND_A_NAME}"\n',
        "no TOML": f'HF_TOKEN = "{TOKEN}\n{BEHIND_A_NAME}',
    }
    name = f"{len(fault)}.tar.gz"
    with declared(stack, f"{good}\n# my password was {BEHIND_A_NAME}\n{added[fault]}"):
        result = console(stack, "doctor", "--bundle", name)
    assert result.returncode == 2
    files = unpacked(stack, name)
    word = {"unknown key": "enviroment", "no TOML": "not valid TOML"}[fault]
    assert word.encode() in files["declaration-faults.txt"]
    assert b"[models.qwen.environment]" in files["stack.toml"]
    assert "status.json.not-there.txt" in files


def test_whose_names_ports_files_and_locks_are_is_told(stack: Installation) -> None:
    """Faults 16, 20, 32, 33, 34, and a stack.toml that everybody reads."""
    stack.write(extra={"model": "tiny-qwen:v1", "port": stack.first_port + 5, "context": 2048})
    stack.write(other={"model": "tiny-qwen:v1", "port": stack.first_port + 6, "context": 2048})
    stack.client.containers.create(stack.inspect("qwen")["Image"], name=stack.name("other"))
    stack.stack_file.chmod(0o644)
    lock = stack.lock.read_text()
    digest = f"sha256:{stack.digest('mistral', 'tiny-mistral:v1').removeprefix('sha256:')}"
    stack.lock.write_text(lock.replace(digest, f"sha256:{'0' * 64}"))
    who = "PID 1 of nobody"
    holder = subprocess.Popen(
        ["sh", "-c", holder_script(stack.prefix, who, 0)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    try:
        with (
            socket.create_server(("127.0.0.1", stack.first_port + 5)),
            closing(sqlite3.connect(stack.database, isolation_level=None)) as writer,
        ):
            writer.execute("BEGIN IMMEDIATE")
            found = findings(stack)
    finally:
        holder.kill()
        holder.communicate()
        stack.lock.write_text(lock)
        stack.client.containers.get(stack.name("other")).remove()
        for name in ("extra", "other"):
            del stack.declared["models"][name]
        stack.write()
        stack.stack_file.chmod(0o600)
    assert who in found["run"]["finding"] and found["run"]["is_notable"]
    assert "PID " in found["extra: port"]["finding"] and not found["extra: port"]["is_well"]
    assert "is not ours" in found["other"]["finding"]
    assert "adopt=other" in found["other"]["remedy"]
    assert found["database"]["is_notable"] and "writing" in found["database"]["finding"]
    assert found["stack.toml"]["remedy"].startswith("chmod 600")
    assert "upgrade available" in found["mistral: tag"]["finding"]
    assert not found["mistral"]["is_well"]


def test_fault_37_offline_is_notable_and_no_failure(stack: Installation) -> None:
    text = stack.stack_file.read_text()
    mine = stack.declared["model_registry"]
    with declared(stack, text.replace(f'"{mine}"', '"127.0.0.1:1"')):
        result = console(stack, "doctor")
    assert result.returncode == 0, result.stdout
    assert "! registry 127.0.0.1:1: the registry 127.0.0.1:1 does not answer" in result.stdout


def test_an_interrupted_run_says_so_in_the_log(stack: Installation) -> None:
    run = stack.begin("--data", "restart=true", "--data", "only=qwen")
    stack.read_until(run, "start container")
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=60)
    assert run.returncode == 130
    assert stack.converge().status == 0
    lines = log(stack).read_text().splitlines()
    assert any(f"-{run.pid} @local end: interrupted, changes: " in line for line in lines)


def test_a_log_that_cannot_be_written_is_a_warning_and_the_run_goes_on(
    stack: Installation,
) -> None:
    kept = log(stack).rename(stack.folder / "kept.log")
    log(stack).mkdir()
    output = stack.converge("restart=true", "only=mistral")
    log(stack).rmdir()
    kept.rename(log(stack))
    assert output.status == 0, output.text
    assert output.text.count("cannot be written") == 1
