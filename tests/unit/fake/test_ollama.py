"""The fake servers answer as Ollama does: asked by Ollama's own client."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Any

import ollama
import pytest

from tests.fake import content
from tests.fake.host import FakeHost
from tests.fake.ollama import parts_of, shown
from tests.unit.fake.conftest import MODEL, NAME


@pytest.fixture
def name(host: FakeHost) -> str:
    """The model as it is pulled from the fake registry."""
    return f"{host.registry_name}/library/{MODEL}"


def test_a_model_is_pulled_shown_and_deleted(
    server: ollama.Client, name: str, host: FakeHost
) -> None:
    lines = [line.status for line in server.pull(name, insecure=True, stream=True)]
    assert lines[0] == "pulling manifest"
    assert lines[-1] == "success"
    (held,) = server.list().models
    assert held.model == name
    assert f"sha256:{held.digest}" == host.registry.tags["library/tiny-qwen", "v1"]
    assert server.show(name).capabilities == ["completion"]
    server.copy(name, MODEL)
    server.delete(name)
    assert host.store(NAME).names() == [MODEL]
    assert server.generate(MODEL, "Say ok.").response == "ok."
    server.delete(MODEL)
    assert list(host.store(NAME).blobs.iterdir()) == []


def test_what_is_not_there(server: ollama.Client, host: FakeHost) -> None:
    for ask in (server.show, server.delete, server.generate):
        with pytest.raises(ollama.ResponseError) as refused:
            ask("none:v1")
        assert refused.value.status_code == 404
    with pytest.raises(ollama.ResponseError, match="file does not exist"):
        server.pull(f"{host.registry_name}/library/none:v1", insecure=True)


def test_models_outlive_the_container(
    server: ollama.Client, name: str, container: Any, host: FakeHost
) -> None:
    server.pull(name, insecure=True)
    container.stop()
    with pytest.raises(ConnectionError):
        server.list()
    container.start()
    assert [model.model for model in server.list().models] == [name]


def test_a_model_is_loaded_until_it_is_told_to_go(server: ollama.Client, name: str) -> None:
    server.pull(name, insecure=True)
    assert server.ps().models == []
    words = [part.response for part in server.generate(name, "Say ok.", stream=True)]
    assert "".join(words) == "ok."
    assert [model.model for model in server.ps().models] == [name]
    assert server.generate(name, keep_alive=0).done_reason == "unload"
    assert server.ps().models == []


def test_a_model_does_what_it_can(server: ollama.Client, host: FakeHost) -> None:
    able = content.model("able", ["completion", "tools", "insert", "embedding"])
    host.registry.put("library/able", "v1", able)
    host.registry.put("library/plain", "v1", content.model("plain"))
    able_name, plain = (f"{host.registry_name}/library/{one}:v1" for one in ("able", "plain"))
    tools = [{"type": "function", "function": {"name": "get_time"}}]
    asked: list[Any] = [{"role": "user", "content": "What time is it?"}]
    for one in (able_name, plain):
        server.pull(one, insecure=True)
    assert server.chat(able_name, asked, tools=tools).message.tool_calls
    assert server.generate(able_name, "def", suffix="return").response
    assert server.embed(able_name, "ok").embeddings
    with pytest.raises(ollama.ResponseError, match="does not support tools"):
        server.chat(plain, asked, tools=tools)
    assert server.chat(plain, asked).message.content == "ok."


def test_a_model_that_breaks(server: ollama.Client, host: FakeHost) -> None:
    host.registry.put("library/bad", "v1", content.model("bad", behaviour="breaks"))
    name = f"{host.registry_name}/library/bad:v1"
    server.pull(name, insecure=True)
    with pytest.raises(ollama.ResponseError, match="llama runner process has terminated"):
        server.generate(name, "Say ok.")


def test_a_blob_is_there_or_not(
    server: ollama.Client, name: str, port: int, host: FakeHost
) -> None:
    server.pull(name, insecure=True)
    weights = host.store(NAME).manifest(name)["layers"][0]["digest"]
    url = f"http://127.0.0.1:{port}/api/blobs/"
    with urllib.request.urlopen(urllib.request.Request(url + weights, method="HEAD")) as found:
        assert found.status == 200
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(urllib.request.Request(url + "sha256:0", method="HEAD"))


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("qwen:7b", ("registry.ollama.ai", "library", "qwen", "7b")),
        ("user/qwen:7b", ("registry.ollama.ai", "user", "qwen", "7b")),
        ("127.0.0.1:5000/library/qwen:7b", ("127.0.0.1:5000", "library", "qwen", "7b")),
    ],
)
def test_names_are_taken_apart(name: str, parts: tuple[str, str, str, str]) -> None:
    assert parts_of(name) == parts
    assert shown(parts) == name
