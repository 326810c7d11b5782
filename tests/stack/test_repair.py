"""What a hand breaks, one run mends, and nothing else, on both engines (to be seen: 3, 4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.stack.conftest import others
from tests.stack.installation import Installation

SERVICE = "deepseek"


def removed(stack: Installation) -> None:
    stack.client.containers.get(stack.name(SERVICE)).remove(force=True)


def stopped(stack: Installation) -> None:
    stack.client.containers.get(stack.name(SERVICE)).stop(timeout=1)


def paused(stack: Installation) -> None:
    stack.client.containers.get(stack.name(SERVICE)).pause()


def renamed(stack: Installation) -> None:
    stack.client.containers.get(stack.name(SERVICE)).rename(f"{stack.prefix}other")


def without_network(stack: Installation) -> None:
    stack.client.networks.get("bridge").disconnect(stack.name(SERVICE))


def without_volume(stack: Installation) -> None:
    removed(stack)
    stack.client.volumes.get(stack.name(SERVICE)).remove()


def remade(stack: Installation, **changes: object) -> None:
    """Make the container anew by hand, with our labels and something else changed."""
    old = stack.inspect(SERVICE)
    removed(stack)
    options: dict[str, Any] = {
        "name": stack.name(SERVICE),
        "image": old["Config"]["Image"],
        "labels": old["Config"]["Labels"],
        "environment": old["Config"]["Env"],
        "ports": {"11434/tcp": ("127.0.0.1", stack.port(SERVICE))},
        "volumes": {stack.name(SERVICE): {"bind": "/root/.ollama"}},
        "restart_policy": {"Name": "unless-stopped"},
        "detach": True,
    }
    stack.client.containers.run(**{**options, **changes})


def with_other_environment(stack: Installation) -> None:
    variables = dict(pair.split("=", 1) for pair in stack.inspect(SERVICE)["Config"]["Env"])
    remade(stack, environment={**variables, "OLLAMA_CONTEXT_LENGTH": "512", "HF_TOKEN": "hunter2"})


def with_other_port(stack: Installation) -> None:
    remade(stack, ports={"11434/tcp": ("127.0.0.1", stack.first_port + 7)})


def with_other_image(stack: Installation) -> None:
    image = stack.inspect(SERVICE)["Config"]["Image"].rpartition(":")[0]
    stack.client.images.pull(image, tag="0.17.4")
    remade(stack, image=f"{image}:0.17.4")


def with_other_limits(stack: Installation) -> None:
    remade(stack, mem_limit="1g", nano_cpus=10**9)


BREAKS: list[tuple[Callable[[Installation], None], str]] = [
    (removed, "create and start container"),
    (stopped, "start container"),
    (paused, "unpause container"),
    (renamed, "rename container"),
    (without_network, "network none → bridge"),
    (without_volume, "create volume"),
    (with_other_environment, "environment OLLAMA_CONTEXT_LENGTH 512 → 2048"),
    (with_other_port, "ports 127.0.0.1:"),
    (with_other_image, "image "),
    (with_other_limits, "memory 1.07374e+09 bytes → unlimited"),
]


@pytest.mark.parametrize(("damage", "text"), BREAKS, ids=[b[0].__name__ for b in BREAKS])
def test_one_run_repairs_the_container_that_was_broken_and_no_other(
    on_engine: Installation, damage: Callable[[Installation], None], text: str
) -> None:
    stack = on_engine
    damage(stack)
    untouched = others(stack, SERVICE)
    broken = stack.containers()
    dry = stack.dry()
    assert stack.containers() == broken, "a dry run changes nothing"
    output = stack.converge()
    assert output.status == 0, output.text
    assert text in dry.text
    assert "hunter2" not in output.text + dry.text
    assert dry.planned == output.planned
    assert [step for step in output.done if step in dry.planned] == dry.planned
    assert others(stack, SERVICE) == untouched
    assert set(stack.containers()) == set(untouched) | {stack.name(SERVICE)}
    assert stack.inspect(SERVICE)["State"]["Status"] == "running"
    assert stack.rows()[SERVICE]["status"] == "active"
    again = stack.converge()
    assert set(again.operations.values()) == {"No changes"}, again.text


def test_a_model_that_was_deleted_inside_is_pulled_again(stack: Installation) -> None:
    stack.delete_model(SERVICE, f"tiny-{SERVICE}:v1")
    before = stack.containers()
    dry, output = stack.dry(), stack.converge()
    assert output.status == 0, output.text
    assert dry.planned == [
        f"{SERVICE}: pull tiny-{SERVICE}:v1 (not here yet)",
        f"{SERVICE}: prove tiny-{SERVICE}:v1 by a generation (it is new here)",
    ]
    assert [step for step in output.done if step in dry.planned] == dry.planned
    assert stack.digest(SERVICE, f"tiny-{SERVICE}:v1")
    assert stack.containers() == before


def test_a_model_that_was_replaced_inside_is_restored(stack: Installation) -> None:
    model = f"tiny-{SERVICE}:v1"
    proven = stack.digest(SERVICE, model)
    other = f"{stack.lab.model_registry}/library/tiny-{SERVICE}:v2"
    stack.ask(SERVICE, "/api/pull", {"model": other, "insecure": True, "stream": False})
    for path, body in (("/api/copy", {"source": other, "destination": model}),):
        stack.ask(SERVICE, path, body)
    assert stack.digest(SERVICE, model) != proven
    before = stack.containers()
    dry, output = stack.dry(), stack.converge()
    assert output.status == 0, output.text
    assert dry.planned[0].startswith(f"{SERVICE}: restore {model} (digest ")
    assert [step for step in output.done if step in dry.planned] == dry.planned
    assert stack.digest(SERVICE, model) == proven
    assert stack.containers() == before
    stack.delete_model(SERVICE, other)
