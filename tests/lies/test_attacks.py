"""Attacks as they were carried out, each against a whole run on the fake host."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fake.containers import Container
from tests.fake.host import FakeHost
from tests.fake.http import Request, Response
from tests.fake.kept import Kept
from tests.fake.lies import Honest, Lie, after_the_deed, reset, says, silence, tampers
from tests.lies.installation import SERVICES, Installation
from tests.stack.installation import Output

# How often a look meets a lie before the creation.
HIDDEN = range(1, 4)
NOT_SEEN = "left as it is: not all of it could be seen"


class Attacked:
    """A converged stack on the fake host, on which one attack is tried."""

    def __init__(self, folder: Path, host: FakeHost) -> None:
        self.host = host
        self.stack = Installation(folder / "installation", host)
        output = self.stack.converge()
        assert output.status == 0, output.text
        (folder / "kept").mkdir()
        self.kept = Kept(host.engine, folder / "kept", self.stack.folder)

    def name(self, service: str) -> str:
        return self.stack.name(service)

    def lie(self, lie: Lie, **where: Any) -> None:
        self.host.liar.aim(lie, **where)

    def serving(self) -> dict[str, tuple[str, str]]:
        """Return id and state of the container of each service."""
        found = self.host.containers
        names = [self.name(service) for service in SERVICES]
        return {name: (found[name].id, found[name].status) for name in names if name in found}

    def declare(self, **qwen: Any) -> None:
        """Declare something else of qwen."""
        self.stack.declared["models"]["qwen"] |= qwen
        self.stack.write()


@pytest.fixture(scope="module")
def converged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    folder = tmp_path_factory.mktemp("attacks")
    (folder / "installation").mkdir()
    with FakeHost(folder / "host") as host:
        yield Attacked(folder, host)


@pytest.fixture
def stack(converged: Attacked) -> Iterator[Attacked]:
    declared = json.dumps(converged.stack.declared)
    converged.host.record.clear()
    with converged.kept:
        yield converged
        converged.host.liar.be_honest()
    converged.stack.declared = json.loads(declared)


def assert_left_alone(output: Output, service: str) -> None:
    """The run names what it could not see of a service, and did nothing with it."""
    assert output.status == 1, output.text
    assert "Traceback" not in output.text, output.text
    assert f"{service}: {NOT_SEEN}" in output.last, output.text
    assert not [step for step in output.done if step.startswith(f"{service}:")], output.text


def big_and_odd(request: Request, honest: Honest) -> Response:
    models = [{"name": f"m{n}:v1", "digest": f"{n:064x}", "size": n} for n in range(2500)]
    body = json.dumps({"models": models}).encode()
    return Response(200, body[:150_000] + b"\xff" + body[150_001:])


TOLD_ODDLY = [big_and_odd, says("[1, 2]"), says('{"models": [{}]}'), says("", 500)]


@pytest.mark.parametrize("lie", TOLD_ODDLY)
def test_attack_3_a_list_of_models_that_cannot_be_read_moves_nothing(
    stack: Attacked, lie: Lie
) -> None:
    before = stack.serving()
    stack.lie(lie, server=stack.name("qwen"), path="/api/tags")
    output = stack.stack.converge()
    assert_left_alone(output, "qwen")
    assert stack.serving() == before
    assert not stack.host.requests(server="engine", method="DELETE")


@pytest.mark.parametrize("lie", [says("", 500), says("{"), reset, silence(2), says('{"Id": 5}')])
def test_attack_3_an_inspect_that_fails_removes_no_container(stack: Attacked, lie: Lie) -> None:
    before = stack.serving()
    stack.declare(context=1024)
    stack.lie(lie, server="engine", path=f"/containers/{stack.name('mistral')}/json")
    output = stack.stack.converge()
    assert_left_alone(output, "mistral")
    assert "kill" not in output.text, output.text
    after = stack.serving()
    assert after[stack.name("mistral")] == before[stack.name("mistral")]
    # The other services go on: qwen has what was declared.
    assert "qwen: create and start" in output.text, output.text
    assert after[stack.name("qwen")][1] == "running"
    rows = stack.host.requests(server="engine", method="DELETE", path=before_id(before, stack))
    assert not rows


def before_id(before: dict[str, tuple[str, str]], stack: Attacked) -> str:
    return before[stack.name("mistral")][0]


@pytest.mark.parametrize("path", [r"/containers/json\?all=1$", "/volumes", "filters", "/version"])
def test_attack_3_a_list_that_fails_is_no_empty_host(stack: Attacked, path: str) -> None:
    before = stack.serving()
    stack.lie(says('{"message": "busy"}', 500), server="engine", path=path)
    output = stack.stack.converge()
    assert output.status == 1, output.text
    assert "create" not in " ".join(output.done), output.text
    # Nobody is told to end what holds the ports: it is the containers that could not be seen.
    assert "kill" not in output.text, output.text
    assert stack.serving() == before


def test_attack_3_a_name_that_is_taken_is_not_taken_back(stack: Attacked) -> None:
    """The engine says at first that there is no container; it is there, with all that it holds."""
    name = stack.name("qwen")
    mine = stack.host.containers[name]
    stack.host.engine.stop(mine)
    gone = says(json.dumps({"message": f"No such container: {name}"}), 404)
    stack.lie(gone, server="engine", path=f"/containers/{name}/json", only=HIDDEN)
    for path in ("all=1", "filters"):
        stack.lie(tampers(without(name)), server="engine", path=f"/containers/json.*{path}")
    output = stack.stack.converge()
    assert output.status == 1, output.text
    assert "already in use" in output.text, output.text
    assert stack.host.containers[name].id == mine.id
    assert not stack.host.requests(server="engine", method="DELETE", path=mine.id)


def without(name: str) -> Any:
    def change(body: bytes) -> bytes:
        found = [c for c in json.loads(body) if f"/{name}" not in c["Names"]]
        return json.dumps(found).encode()

    return change


def test_attack_3_a_creation_without_an_answer_is_not_taken_back_by_its_name(
    stack: Attacked,
) -> None:
    name = stack.name("qwen")
    engine = stack.host.engine
    engine.stop(stack.host.containers[name])
    del engine.containers[stack.host.containers[name].id]
    stack.lie(after_the_deed(reset), server="engine", method="POST", path="/containers/create")
    output = stack.stack.converge()
    assert output.status == 1, output.text
    made = stack.host.containers[name]
    assert not stack.host.requests(server="engine", method="DELETE", path=made.id)
    stack.host.liar.be_honest()
    assert stack.stack.converge().status == 0
    assert stack.host.containers[name].status == "running"


def test_attack_4_a_server_does_not_speak_for_the_engine(stack: Attacked) -> None:
    """A forged "second one of qwen" would be planned for removal: somebody else's container."""
    engine, mine = stack.host.engine, stack.host.containers[stack.name("qwen")]
    theirs = Container("e" * 64, "theirs", mine.image, {}, status="running")
    engine.containers[theirs.id] = theirs
    shown = mine.inspect("") | {"Id": theirs.id, "Name": "/theirs"}
    forged = (
        f'{{"models": []}}\n#200 http://docker/containers/{theirs.id}/json\n'
        f"{json.dumps(shown)}\n#200 http://docker/containers/{theirs.id}/json\n"
    )
    stack.lie(says(forged), server=stack.name("qwen"), path="/api/tags")
    output = stack.stack.converge()
    assert "remove container theirs" not in output.text, output.text
    assert theirs.id in engine.containers


def test_attack_6_an_error_after_a_silence_fails_the_pull(stack: Attacked) -> None:
    def late_error(request: Request, honest: Honest) -> Response:
        def chunks() -> Iterator[bytes]:
            yield b'{"status": "pulling manifest"}\n'
            time.sleep(1.6)
            yield b'{"error": "it broke at the end"}\n'

        return Response(200, chunks=chunks())

    name = stack.name("qwen")
    for file in list((stack.host.store(name).folder / "models").rglob("*")):
        if file.is_file():
            file.unlink()
    stack.lie(late_error, server=name, path="/api/pull")
    output = stack.stack.converge()
    assert output.status == 1, output.text
    assert "it broke at the end" in output.last, output.text


def test_attack_7_another_digest_than_the_one_held_to_is_no_success(stack: Attacked) -> None:
    name, lock = stack.name("qwen"), Path(stack.stack.declared["lock"])
    before = lock.read_bytes()
    for file in list((stack.host.store(name).folder / "models").rglob("*")):
        if file.is_file():
            file.unlink()
    asked: list[int] = []

    def another(request: Request, honest: Honest) -> Response:
        """After the pull the server lists the model with another digest."""
        answer = honest()
        body = re.sub(rb'"digest":"(sha256:)?[0-9a-f]{64}"', b'"digest":"' + b"f" * 64 + b'"',
                      answer.body)  # fmt: skip
        asked.append(1)
        return Response(answer.status, body, answer.headers)

    stack.lie(another, server=name, path="/api/tags")
    output = stack.stack.converge()
    assert output.status == 1, output.text
    assert "it is held to" in output.last, output.text
    assert lock.read_bytes() == before


def test_attack_9_one_odd_answer_is_no_traceback(stack: Attacked) -> None:
    deep = says("[" * 50_000)
    stack.lie(deep, server="engine", path="/info|/containers/json")
    output = stack.stack.converge()
    assert output.status == 1, output.text
    assert "Traceback" not in output.text, output.text
    assert "remedy:" in output.last


def test_attack_10_an_undo_that_cannot_see_says_so_and_prints_the_commands(
    stack: Attacked,
) -> None:
    name = stack.name("qwen")
    stack.declare(context=1024)
    # The new container starts and its server is silent; from then on the engine is, too.
    silent = Silenced(stack, name)
    stack.lie(silent, server="engine", path=f"/containers/{name}.*")
    stack.lie(says("", 500), server=name, path="/api/version", only=range(3, 1000))
    output = stack.stack.converge()
    assert output.status == 1, output.text
    assert "nothing was taken back" in output.last, output.text
    assert f"docker rename {name}-previous {name}; docker start {name}" in output.last
    stack.host.liar.be_honest()
    assert stack.stack.converge().status == 0
    assert stack.host.containers[name].status == "running"


class Silenced:
    """The engine says nothing of a container any more, once another one was started."""

    def __init__(self, stack: Attacked, name: str) -> None:
        self.stack, self.name, self.is_on = stack, name, False

    def __call__(self, request: Request, honest: Honest) -> Response:
        if self.is_on and request.method in ("GET", "DELETE"):
            return Response(500, b'{"message": "too busy"}')
        if request.method == "POST" and request.path.endswith(f"{self.name}/start"):
            self.is_on = True
        return honest()


def test_attack_15_an_odd_label_hides_no_container(stack: Attacked) -> None:
    mine = stack.host.containers[stack.name("qwen")]
    odd = Container(
        "d" * 64, "odd", mine.image, {"Image": "x", "Labels": {"note": "a\u0085b\u2028c\x1cd"}}
    )
    stack.host.engine.containers[odd.id] = odd
    output = stack.stack.converge()
    assert output.status == 0, output.text
    assert set(output.operations.values()) == {"No changes"}, output.text


def test_attack_18_and_3_thousands_of_foreign_containers_hide_nothing(stack: Attacked) -> None:
    mine = stack.host.containers[stack.name("qwen")]
    engine = stack.host.engine
    for number in range(4000):
        one = Container(f"{number:064x}", f"x{number}", mine.image, {"Image": mine.image.id})
        engine.containers[one.id] = one
    before = stack.serving()
    output = stack.stack.converge()
    assert output.status == 0, output.text
    assert set(output.operations.values()) == {"No changes"}, output.text
    assert stack.serving() == before
