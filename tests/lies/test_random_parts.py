"""A thousand random answers for each parser that takes in what others wrote.

The bodies are those that the fake host lies with: an honest answer of which one value is changed,
or one that is nothing of the kind. Whatever comes is known, unknown, or an error of the domain; and
what is known is no larger than people want to see.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.containers import devices
from tasks.containers.engine import plain_log
from tasks.containers.observed import ObservedContainer, ObservedImage, ObservedServer
from tasks.docker_engine.observed import ObservedEngine
from tasks.host.observed import ObservedHost
from tasks.host.ports import port_holders
from tasks.nvidia.observed import Nvidia
from tasks.run.hostlock import at_work
from tasks.run.streams import ImageProgress, ModelProgress, feed
from tasks.servers import abilities
from tasks.servers.gpu_memory import measured
from tasks.shell.answers import answers
from tasks.shell.engine_api import engine
from tasks.vram.gguf import NotGguf, TooShort, read_header
from tasks.vram.shape import Incomplete, from_header, from_show
from tasks.words.foreign import BadAnswer, read_json
from tests.fake import bodies, content, views
from tests.unit.tasks.said import enveloped
from tests.unit.tasks.samples import inspect, spec, stack

MANY = settings(max_examples=10 * settings().max_examples)
SEEDS = st.integers(0, 2**32)
# The most characters of one text that is shown.
SHOWN = 10_000

VERSION, INFO = views.version("20.10"), views.info("20.10", [], 1)
DIGEST = "1" * 64
TAGS = {"models": [{"name": "qwen:7b", "digest": DIGEST, "size": 5}]}
PS = {"models": [{"name": "qwen:7b", "size": 5, "size_vram": 5, "context_length": 2048}]}
SHOW = {
    "capabilities": ["completion"],
    "model_info": dict(content.MODEL_INFO),
    "tensors": [{"name": "token_embd.weight", "type": "F32", "shape": [32, 64]}],
}
IMAGE = {"Id": f"sha256:{DIGEST}", "RepoTags": ["a:b"], "RepoDigests": [f"a@sha256:{DIGEST}"]}


def lied(honest: Any, rng: random.Random) -> bytes:
    """Return an honest answer of which one value is changed, or one that is nothing of the kind."""
    if rng.random() < 0.7:
        return bodies.mutated(json.dumps(honest).encode(), rng)
    return bodies.odd(rng)[1]


def taken(honest: Any, rng: random.Random) -> Any:
    """Return a lie as every answer comes in: parsed with limits, None where it is no JSON."""
    try:
        return read_json(lied(honest, rng))
    except BadAnswer:
        return None


def known_or_bad(parse: Callable[[Any], object], value: Any) -> object | None:
    """Parse; None where it is refused by an error of the domain."""
    try:
        return parse(value)
    except (BadAnswer, Incomplete):
        return None


@MANY
@given(SEEDS)
def test_a_container_and_an_image(seed: int) -> None:
    rng = random.Random(seed)
    known_or_bad(_read_container, taken(inspect(spec(stack())), rng))
    known_or_bad(ObservedImage.from_inspect, taken(IMAGE, rng))


def _read_container(value: Any) -> None:
    """Read one, and what is derived of it later, when nobody expects an error any more."""
    seen = ObservedContainer.from_inspect(value)
    assert seen.url or not seen.published or len(seen.published) > 1
    assert all(0 <= port < 2**17 for port in seen.published)
    str((seen.attachment, seen.holds_ports, seen.is_running, seen.service, seen.is_of("x")))


@MANY
@given(SEEDS)
def test_what_a_server_holds(seed: int) -> None:
    rng = random.Random(seed)
    said = (taken({"version": "0.24.0"}, rng), taken(TAGS, rng), taken(PS, rng))
    seen = known_or_bad(lambda parts: ObservedServer.from_answers(*parts), said)
    if isinstance(seen, ObservedServer):
        assert all(isinstance(model.gpu_share, float) for model in seen.loaded)
        assert all(model.size >= 0 for model in seen.models.values())


@MANY
@given(SEEDS)
def test_what_a_model_can_and_needs(seed: int) -> None:
    rng = random.Random(seed)
    told = taken(SHOW, rng)
    show = abilities.parse(told)
    assert show is None or show.trained_context >= 0
    if isinstance(told, dict):
        known_or_bad(lambda value: from_show(value, 5), told)


@MANY
@given(SEEDS)
def test_the_beginning_of_a_file(seed: int) -> None:
    rng = random.Random(seed)
    data = bytearray(content.gguf("x"))
    for _ in range(rng.randrange(1, 8)):
        at = rng.randrange(200)
        data[at : at + rng.randrange(9)] = rng.randbytes(rng.randrange(9))
    del data[rng.randrange(400) :]
    try:
        header = read_header(bytes(data))
        shape = from_header(header, len(data))
    except (NotGguf, TooShort, Incomplete):
        return
    assert shape.weights >= 0


@MANY
@given(SEEDS)
def test_what_the_engine_says_of_itself(seed: int) -> None:
    rng = random.Random(seed)
    listed = [{"Names": ["/x"], "Labels": {"ollama-stack.stack": "y"}}]
    told = {"/version": VERSION, "/info": INFO, "/containers/json": listed}
    raw = b"".join(
        lied(honest, rng) + f"\n#200 {engine(path)}\n".encode() for path, honest in told.items()
    )
    output = ["##daemon.json", "exists=yes", "content=" + _encoded(bodies.odd(rng)[1])]
    seen = ObservedEngine.from_lines([*output, "##api", *_sent(raw).split("\n")])
    assert all(isinstance(name, str) for pair in seen.running for name in pair)
    assert len(seen.version) < SHOWN
    seen.foreign("ollama-")


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _sent(raw: bytes) -> str:
    return enveloped(raw, "web")


@MANY
@given(SEEDS)
def test_what_is_said_inside_a_container(seed: int) -> None:
    rng = random.Random(seed)
    said = {"said.ollama-qwen": bodies.odd(rng)[1][:200], "code.ollama-qwen": b"9"}
    if rng.random() < 0.5:
        said["code.ollama-qwen"] = bodies.odd(rng)[1][:65536]
    lost = devices.parse("\n".join(enveloped(data, name) for name, data in said.items()))
    assert all("\x1b" not in text and len(text) < SHOWN for text in lost.said.values())
    assert isinstance(plain_log(bodies.odd(rng)[1]), str)


@MANY
@given(SEEDS)
def test_what_a_host_says(seed: int) -> None:
    rng = random.Random(seed)
    sections = ["host", "os", "unit", "packages", "sudo", "engine", "disk", "listening", "smi"]
    sections += ["sockets", "daemons", "kernel", "pci", "proc", "1234", "9" * 50]
    keys = ["uid", "path.curl", "user", "status", "block", "free", "size", "root", "run", "step"]
    keys += ["csv", "xml", "inode", "cgroup", "command", "loaded", "daemons", "path"]
    lines = []
    for _ in range(12):
        text = bodies.odd(rng)[1][:300].decode(errors="replace")
        word = rng.choice([text, "0100007F:2CAA 12345", "7", "-1", "200 0", "9" * 30])
        lines += [f"##{rng.choice(sections)}", f"{rng.choice(keys)}={word}", word]
    output = "\n".join(lines).split("\n")
    assert isinstance(ObservedHost.from_lines(output), ObservedHost)
    assert isinstance(Nvidia.from_lines(output), Nvidia)
    assert isinstance(port_holders(output), tuple)
    assert "\x1b" not in at_work("\n".join(output))
    measured("\n".join(output), 5)


@MANY
@given(SEEDS)
def test_lines_of_progress(seed: int) -> None:
    rng = random.Random(seed)
    honest = [
        {"status": "pulling a", "digest": "sha256:a", "total": 9, "completed": 5},
        {"status": "Downloading", "id": "a", "progressDetail": {"current": 5, "total": 9}},
        {"status": "Pull complete", "id": "a"},
    ]
    for progress in (ModelProgress(), ImageProgress()):
        rest = b""
        for _ in range(5):
            rest = feed(progress, rest + lied(rng.choice(honest), rng) + b"\n")
        assert progress.done >= 0
        assert progress.total >= 0
        assert len(progress.error) < SHOWN
        assert "\x1b" not in progress.phase + progress.error


@MANY
@given(SEEDS)
def test_any_answer_is_a_message_in_one_line(seed: int) -> None:
    rng = random.Random(seed)
    status = rng.choice((0, 200, 404, 500))
    raw = bodies.odd(rng)[1] + f"\n#{status:03} http://docker/x\n".encode()
    for answer in answers(_sent(raw)).values():
        assert "\n" not in answer.message
        assert "\x1b" not in answer.message
        assert len(answer.message) < SHOWN
        known_or_bad(lambda one: one.fields, answer)
