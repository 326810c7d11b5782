"""What the observing script printed on real engines, parsed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.containers.drift import drift
from tasks.containers.look import script
from tasks.containers.observed import Snapshot
from tasks.containers.parse import kept_images, model_name, parse
from tasks.containers.spec import spec_of
from tests.unit.tasks.said import enveloped
from tests.unit.tasks.samples import stack

RECORDED = Path(__file__).parent / "recorded"
# The declaration of the stack that was recorded, on the lab.
STACK = stack(
    container_prefix="recorded-",
    image_mirror="127.0.0.1:15000",
    model_registry="172.17.0.1:15001",
    model_registry_insecure=True,
    models={
        name: {"model": f"tiny-{name}:v1", "context": 2048, "port": 24100 + n}
        for n, name in enumerate(("qwen", "deepseek", "mistral"))
    },
)


def recorded() -> dict[str, str]:
    """Return what was recorded, by the envelope in which it comes."""
    text = (RECORDED / "engine-20.10.txt").read_text()
    web, *volumes = text.split("#manifests ")
    parts = dict.fromkeys(["engine", *(f"server.{s.name}" for s in STACK.services)], "")
    # The list was added to the look later; there were no such images.
    parts["engine"] = f"[]\n#200 {kept_images(STACK)}\n"
    body = ""
    for line in web.splitlines(keepends=True):
        body += line
        if line.startswith("#200 ") or line.startswith("#404 "):
            url = line.split()[1]
            names = (f"server.{s.name}" for s in STACK.services if url.startswith(s.url))
            parts[next(names, "engine")] += body
            body = ""
    for volume in volumes:
        name, _, lines = volume.partition("\n")
        parts[f"files.{name.removeprefix('recorded-')}"] = f"{lines}end\n"
    return parts


def output(parts: dict[str, str]) -> str:
    return "\n".join(enveloped(text, name) for name, text in parts.items())


@pytest.fixture
def seen() -> Snapshot:
    return parse(STACK, output(recorded()))


def test_a_converged_stack_is_seen_whole(seen: Snapshot) -> None:
    assert seen.version.startswith("20.10")
    assert [c.name for c in seen.containers] == [
        "recorded-deepseek",
        "recorded-mistral",
        "recorded-qwen",
    ]
    for service in ("qwen", "deepseek"):
        assert seen.server(service).version == "0.24.0"
        assert set(seen.server(service).models) == {f"tiny-{service}:v1"}
    assert {"recorded-qwen", "recorded-deepseek", "recorded-mistral"} <= set(seen.volumes)


def test_a_stopped_service_is_known_by_its_volume(seen: Snapshot) -> None:
    assert seen.server("mistral").version == ""
    held = seen.models("mistral")
    assert held is not None
    assert held["tiny-mistral:v1"].digest.startswith("sha256:")


def test_what_the_engine_fills_in_is_no_drift(seen: Snapshot) -> None:
    for service in STACK.services:
        spec = spec_of(STACK, service, gpu="")
        container = seen.named(spec.name)
        assert container is not None
        assert drift(spec, container, seen.images, "") == []


def test_only_the_volume_of_a_server_that_does_not_answer_is_read(seen: Snapshot) -> None:
    assert set(seen.stored) == {"mistral"}


@pytest.mark.parametrize("text", ["", "garbage", "#200 http://docker/version"])
def test_attack_3_no_answer_is_unknown_and_no_empty_host(text: str) -> None:
    seen = parse(STACK, text)
    assert seen == Snapshot(unknown=seen.unknown)
    assert "did not come" in seen.unknown[""]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("registry.ollama.ai/library/qwen2.5-coder/7b", "qwen2.5-coder:7b"),
        ("registry.ollama.ai/me/x/1", "me/x:1"),
        ("172.17.0.1:5002/library/tiny/v1", "172.17.0.1:5002/library/tiny:v1"),
        ("x", ""),
    ],
)
def test_the_path_of_a_manifest_names_its_model(path: str, name: str) -> None:
    assert model_name(path) == name


def test_the_script_is_one_argument_of_one_shell() -> None:
    assert script(STACK).startswith("sh -c '")
