"""The real clients, with the files that one converge wrote: no network but the three servers'.

Each answer is checked where it is printed, and the request in the log of the server that it is for.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import clients, offline
from lab.clients import Clients
from tests.stack.conftest import Maker
from tests.stack.installation import SERVICES, Installation
from tests.thorough import only

LIMIT = 300
# What would lead elsewhere.
OTHERS = ("XDG_CONFIG_HOME", "OPENAI_API_KEY")
GENERATED = re.compile(r'POST +"/(?:v1/chat/completions|api/(?:chat|generate))')
CLIENTS = ["kilo", "opencode", "continue", "aider", "llm", "shell"]
# So that nothing is looked up beside the models: what a person would see is the same.
QUIET = {
    "KILO_DISABLE_MODELS_FETCH": "1",
    "KILO_DISABLE_AUTOUPDATE": "1",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "CONTINUE_CLI_ENABLE_TELEMETRY": "0",
    "TERM": "dumb",
    "NO_COLOR": "1",
}
SAYS = {
    "qwen": '"arguments"',
    "deepseek": "I am tiny-thinker v1",
    "mistral": "I am tiny-mistral v1",
}


@pytest.fixture(scope="module")
def programs(lab: object) -> Clients:
    """The pinned programs, installed once."""
    return clients.ensure()


@pytest.fixture(scope="module")
def stack(make: Maker, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation whose models can what their roles need, and a user with all clients."""
    home = tmp_path_factory.mktemp("a home")
    own = home / ".config/opencode/opencode.json"
    own.parent.mkdir(parents=True)
    # The models know so few words that a prompt is never short enough for opencode.
    own.write_text('{"compaction": {"auto": false}}\n')
    installation = make(home=str(home), settings={"clients": CLIENTS})
    installation.write(
        qwen={"agent": "tiny-caller:v1", "context": 32768},
        deepseek={"model": "tiny-thinker:v1", "context": 16384},
        mistral={"context": 16384},
    )
    output = installation.converge()
    assert output.status == 0, output.text
    return installation


@pytest.fixture(scope="module")
def before(stack: Installation) -> Iterator[list[str]]:
    """What stands before a command that reaches the three servers and nothing else."""
    with offline.only([stack.port(name) for name in SERVICES]) as words:
        yield words


class Person:
    """Somebody who types in the home folder that the converge wrote into."""

    def __init__(self, stack: Installation, words: list[str], folder: Path) -> None:
        self.stack, self.words, self.folder = stack, words, folder

    def types(self, *words: object, **environment: str) -> str:
        """Run a command and return what it printed, its blanks as single ones."""
        mine = {
            k: v for k, v in os.environ.items() if k not in ("XDG_CONFIG_HOME", "OPENAI_API_KEY")
        }
        found = {**mine, **QUIET, "HOME": self.stack.home, **environment}
        done = subprocess.run(
            [*self.words, *map(str, words)],
            env=found,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return " ".join(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", done.stdout).split())

    def asked(self) -> dict[str, int]:
        """Return how many generations each server was asked for so far, by its log."""
        found = {}
        for name in SERVICES:
            log = self.stack.client.containers.get(self.stack.name(name)).logs().decode()
            found[name] = len(
                re.findall(r'POST +"/(?:v1/chat/completions|api/(?:chat|generate))', log)
            )
        return found

    def reaches(self, service: str, *words: object, **environment: str) -> None:
        """Run a command, whose answer and whose request are those of one server alone."""
        earlier = self.asked()
        said = self.types(*words, **environment)
        assert SAYS[service] in said, said
        assert {name for name, count in self.asked().items() if count > earlier[name]} == {service}


@pytest.fixture
def person(stack: Installation, before: list[str], tmp_path: Path) -> Person:
    return Person(stack, before, tmp_path)


def test_the_models_can_what_their_roles_need(stack: Installation) -> None:
    caller = stack.proven("qwen").models["tiny-caller:v1"]
    assert "tools" in caller.abilities and not caller.missed
    assert "needs" not in stack.dry().text, "and nothing is said of abilities"


def test_kilos_own_check_finds_nothing_and_writes_nothing(
    person: Person, programs: Clients, stack: Installation
) -> None:
    path = Path(stack.home) / ".config/kilo/kilo.jsonc"
    written = path.read_bytes()
    assert "No config warnings" in person.types(programs.kilo, "config", "check")
    listed = person.types(programs.kilo, "models").split()
    for service, model in (
        ("qwen", "tiny-qwen:v1"),
        ("qwen", "tiny-caller:v1"),
        ("deepseek", "tiny-thinker:v1"),
        ("mistral", "tiny-mistral:v1"),
    ):
        assert f"{stack.name(service)}/{model}" in listed
    assert path.read_bytes() == written


@pytest.mark.parametrize(
    ("agent", "service"),
    [
        ("code", "qwen"),
        ("debug", "deepseek"),
        ("ask", "mistral"),
        only("plan", "mistral", why="of the same server as ask"),
        only("architect", "mistral", why="of the same server as ask"),
    ],
)
def test_each_agent_of_kilo_reaches_its_own_server(
    person: Person, programs: Clients, agent: str, service: str
) -> None:
    person.reaches(service, programs.kilo, "run", "hi", "--agent", agent)


def test_opencode_lists_the_models_and_its_agents_reach_their_servers(
    person: Person, programs: Clients, stack: Installation
) -> None:
    listed = person.types(programs.opencode, "models").split()
    assert f"{stack.name('deepseek')}/tiny-thinker:v1" in listed
    person.reaches("qwen", programs.opencode, "run", "hi", "--agent", "build")
    # What it is called is asked of the small model: of qwen.
    assert SAYS["mistral"] in person.types(programs.opencode, "run", "hi", "--agent", "plan")


def test_continue_talks_to_the_model_for_it(person: Person, programs: Clients) -> None:
    person.reaches("qwen", programs.cn, "-p", "hi")


def test_continue_reaches_each_server_by_what_was_written_of_it(
    person: Person, programs: Clients, stack: Installation, tmp_path: Path
) -> None:
    from ruamel.yaml import YAML  # noqa: PLC0415

    yaml = YAML(typ="safe")
    config = yaml.load(Path(stack.home) / ".continue/config.yaml")
    for service in ("deepseek", "mistral"):
        own = [m for m in config["models"] if m["apiBase"] == stack.url(service)]
        alone = tmp_path / f"{service}.yaml"
        yaml.dump({**config, "models": own}, alone)
        no_tools = ["--exclude", "*"] if service == "deepseek" else []
        person.reaches(service, programs.cn, "--config", alone, *no_tools, "-p", "hi")


def test_aider_reaches_each_server_by_its_model(person: Person, programs: Clients) -> None:
    words = [
        programs.aider,
        "--no-git",
        "--yes",
        "--no-pretty",
        "--no-check-update",
        "--message",
        "hi",
    ]
    person.reaches("qwen", *words)
    person.reaches("deepseek", *words, "--model", "openai/tiny-thinker:v1")
    person.reaches("mistral", *words, "--model", "openai/tiny-mistral:v1")


@pytest.mark.parametrize("service", ["deepseek", "mistral"])
def test_llm_reaches_a_server_by_its_name(
    person: Person, programs: Clients, stack: Installation, service: str
) -> None:
    person.reaches(service, programs.llm, "-m", stack.name(service), "hi")
    listed = person.types(programs.llm, "models")
    assert f"{stack.name('qwen')}/tiny-caller:v1" in listed


def environment_of(stack: Installation, service: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(stack.main("env", service, "--openai", "--json").text)
    return found


@pytest.mark.parametrize("service", ["deepseek", "mistral"])
def test_the_libraries_reach_a_server_by_the_environment_of_env(
    person: Person, programs: Clients, stack: Installation, service: str
) -> None:
    model = {"deepseek": "tiny-thinker:v1", "mistral": "tiny-mistral:v1"}[service]
    told = environment_of(stack, service)
    by_openai = (
        "import openai; print(openai.OpenAI().chat.completions.create("
        f"model={model!r}, messages=[{{'role': 'user', 'content': 'hi'}}])"
        ".choices[0].message.content)"
    )
    person.reaches(service, programs.python, "-c", by_openai, **told)
    by_ollama = (
        f"import ollama; print(ollama.chat({model!r},"
        " [{'role': 'user', 'content': 'hi'}]).message.content)"
    )
    person.reaches(service, programs.python, "-c", by_ollama, **told)


def test_a_completion_in_the_middle_comes_back(
    person: Person, programs: Clients, stack: Installation
) -> None:
    fill = "import ollama; print(ollama.generate('tiny-qwen:v1', 'def f(', suffix='pass').response)"
    said = person.types(programs.python, "-c", fill, **environment_of(stack, "qwen"))
    assert "I am tiny-qwen v1" in said


def test_the_real_ollama_is_what_the_command_of_a_service_runs(
    person: Person, programs: Clients, stack: Installation
) -> None:
    wrapper = Path(stack.home) / ".local/bin" / stack.name("mistral")
    path = f"{programs.ollama.parent}:{os.environ['PATH']}"
    earlier = person.asked()
    said = person.types(wrapper, "run", "tiny-mistral:v1", "hi", PATH=path)
    assert "I am" in said
    assert person.asked()["mistral"] == earlier["mistral"] + 1
    script = (
        f". '{stack.home}/.local/share/bash-completion/completions/{stack.name('mistral')}';"
        f" COMP_WORDS=('{wrapper}' ru) COMP_CWORD=1;"
        f" $(complete -p {stack.name('mistral')} | sed 's/.*-F //; s/ .*//');"
        ' echo "${COMPREPLY[@]}"'
    )
    assert "run" in person.types("bash", "-c", script, PATH=path).split()
