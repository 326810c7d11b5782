"""Attack 20: no file that a run or the console writes holds a secret that is declared.

The declaration itself holds them, and so does Docker, whose containers are given them.
"""

from __future__ import annotations

import base64
import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tasks.records.journal import JOURNAL
from tests.stack.conftest import Maker
from tests.stack.installation import ROOT, Installation
from tests.stack.test_console import console

PASSWORD = "Zq7xK2mV/w9pL4tRb"
# By their names, by their shapes, and such as nobody could tell.
ENVIRONMENT = {
    "HF_TOKEN": "hf_4fGb9sTzQwLk2mXv7RnP",
    "clientSecret": "c8Ha-aaf31c0d9be84c7f",
    "DATABASE_URL": "postgres://ada:Kd93nVq0xWz@db.lan:5432/x",
    "AZURE": "DefaultEndpointsProtocol=https;AccountKey=p0Lm8Nb6Vc4Xz2As==;EndpointSuffix=x",
    "CERTIFICATE": "-----BEGIN PRIVATE KEY-----\nMIIEvQh5Gf7Tr9Yu1\n-----END PRIVATE KEY-----\n",
    "SEVERAL_LINES": 'first-T8hJ2kLq\nsecond "R5wE9zXc"\n',
    "NOBODY_WOULD_GUESS": "blue-whale-4711-Uj3m",
    "OLLAMA_REMOTES": "sk-ant-api03-Hy6Bn2Mk8Ol4",
    "ALL_PROXY": "socks5://ada:Wq1Er3Ty5Ui7@127.0.0.1:9",
}
# What no file may hold: the secret part of each, in the spellings that files have.
PARTS = (
    PASSWORD,
    "4fGb9sTzQwLk2mXv7RnP",
    "c8Ha-aaf31c0d9be84c7f",
    "Kd93nVq0xWz",
    "p0Lm8Nb6Vc4Xz2As",
    "MIIEvQh5Gf7Tr9Yu1",
    "first-T8hJ2kLq",
    "R5wE9zXc",
    "blue-whale-4711-Uj3m",
    "Hy6Bn2Mk8Ol4",
    "Wq1Er3Ty5Ui7",
)
SPELLINGS = {
    *PARTS,
    quote(PASSWORD, safe=""),
    json.dumps(PASSWORD)[1:-1],
    base64.b64encode(f"ada:{PASSWORD}".encode()).decode().rstrip("="),
    *(base64.b64encode(part.encode()).decode().rstrip("=") for part in PARTS),
}
# Where else a run leaves something, if at all.
ELSEWHERE = (Path("/var/lib/ollama-stack"), ROOT / "pyinfra-debug.log")


@pytest.fixture(scope="module")
def stack(make: Maker) -> Installation:
    """An installation whose declaration holds secrets of many kinds, converged once."""
    installation = make(
        settings={
            "https_proxy": f"http://ada:{quote(PASSWORD, safe='')}@127.0.0.1:9",
            "no_proxy": "127.0.0.1,172.17.0.1,172.17.0.250,localhost",
            "start_timeout": 30,
        }
    )
    # Two services are enough here, and quicker.
    installation.write(qwen={"environment": ENVIRONMENT}, deepseek={"active": False})
    installation.stack_file.chmod(0o600)
    output = installation.converge()
    assert output.status == 0, output.text
    assert leaks(output.text) == []
    return installation


def leaks(text: str) -> list[str]:
    """Return the secrets that a text holds."""
    return sorted(spelt for spelt in SPELLINGS if spelt in text)


def files_of(stack: Installation) -> Iterator[Path]:
    """Yield every file of the installation, and what lies elsewhere; not the declaration."""
    for place in (stack.folder, *ELSEWHERE):
        found = [place] if place.is_file() else sorted(place.rglob("*"))
        for file in found:
            if file.is_file() and not file.is_symlink() and file != stack.stack_file:
                yield file


def texts_of(file: Path) -> Iterator[tuple[str, str]]:
    """Yield what is in a file: of an archive what is in each of its files as well."""
    yield str(file), file.read_bytes().decode(errors="replace")
    if file.name.endswith(".tar.gz"):
        with tarfile.open(file) as archive:
            for member in archive.getmembers():
                content = archive.extractfile(member)
                if content is not None:
                    yield f"{file}: {member.name}", content.read().decode(errors="replace")


def assert_no_file_holds_a_secret(stack: Installation) -> set[str]:
    """Look into every file; returns their names, so that a test sees that they were there."""
    looked = set()
    for file in files_of(stack):
        for name, text in texts_of(file):
            assert leaks(text) == [], name
        looked.add(file.name)
    return looked


def test_attack_20_docker_has_the_secrets_that_no_file_may_hold(stack: Installation) -> None:
    given = json.dumps(stack.inspect("qwen")["Config"]["Env"], ensure_ascii=False)
    assert "hf_4fGb9sTzQwLk2mXv7RnP" in given and "blue-whale-4711-Uj3m" in given
    logged = stack.client.containers.get(stack.name("qwen")).logs().decode()
    assert quote(PASSWORD, safe="") in logged, "Ollama writes its proxy into its log"


def test_attack_20_no_file_of_a_converge_holds_a_secret(stack: Installation) -> None:
    looked = assert_no_file_holds_a_secret(stack)
    assert {"models.db", "stack.lock", ".ollama-stack.log"} <= looked


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("status", "--json"),
        ("history", "-n", "200"),
        ("history", "--json"),
        ("plan",),
        ("doctor", "--bundle", "secrets.tar.gz"),
        ("doctor", "--json", "--bundle", "secrets-json.tar.gz"),
        ("-v", "status"),
        ("sync",),
        ("db", "query", "SELECT * FROM services, events"),
    ],
)
def test_attack_20_no_verb_shows_or_writes_a_secret(
    stack: Installation, words: tuple[str, ...]
) -> None:
    result = console(stack, *words)
    assert leaks(result.stdout + result.stderr) == []
    looked = assert_no_file_holds_a_secret(stack)
    assert words[-1] in looked or "--bundle" not in words


def test_attack_20_a_plan_of_changed_secrets_shows_none(stack: Installation) -> None:
    before = stack.stack_file.read_text()
    changed = {name: f"{value}-more" for name, value in ENVIRONMENT.items()}
    stack.write(qwen={"environment": changed})
    try:
        output = stack.dry()
    finally:
        stack.write(qwen={"environment": ENVIRONMENT})
    assert stack.stack_file.read_text() == before
    assert output.status == 0, output.text
    assert "HF_TOKEN differs" in output.text
    assert leaks(output.text) == []
    assert_no_file_holds_a_secret(stack)


@pytest.mark.parametrize("tag", ["broken-start", "broken-generate"])
def test_attack_20_a_step_that_fails_leaves_no_secret(
    stack: Installation, tag: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = stack.folder / f"{tag}.journal"
    monkeypatch.setitem(os.environ, JOURNAL, str(journal))
    stack.write(qwen={"image": f"ollama/ollama:{tag}"})
    try:
        output = stack.converge()
    finally:
        del stack.declared["models"]["qwen"]["image"]
        stack.write()
        monkeypatch.delitem(os.environ, JOURNAL)
    assert output.status == 1, output.text
    assert leaks(output.text) == []
    looked = assert_no_file_holds_a_secret(stack)
    assert journal.name in looked
    assert any(name.startswith(f"{stack.name('qwen')}-") for name in looked), "the log that is kept"
    assert stack.converge().status == 0
    assert_no_file_holds_a_secret(stack)


def test_attack_20_a_log_of_a_container_that_says_its_secrets_is_kept_without_them(
    stack: Installation,
) -> None:
    """A bundle of it as well: the log of the proxy's address is there, its password is not."""
    kept = list((stack.database.parent / ".failed").glob(f"{stack.name('qwen')}-*.log"))
    assert kept, "the steps above failed"
    assert console(stack, "doctor", "--bundle", "kept.tar.gz").returncode in (0, 1)
    assert "kept.tar.gz" in assert_no_file_holds_a_secret(stack)


def test_attack_20_an_upgrade_and_a_verb_that_edits_leave_no_secret(stack: Installation) -> None:
    assert leaks(stack.upgrade().text) == []
    for words in (("deactivate", "mistral"), ("activate", "mistral"), ("restart", "qwen")):
        result = console(stack, *words)
        assert result.returncode == 0, result.stdout + result.stderr
        assert leaks(result.stdout + result.stderr) == []
    # Edited by a verb, the declaration still holds what was declared.
    assert "blue-whale-4711-Uj3m" in stack.stack_file.read_text()
    assert_no_file_holds_a_secret(stack)
