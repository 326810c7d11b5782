"""Fault 29: killed at every step, of a replacement and of an upgrade; the next run is whole."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Container, Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from lab import models, moves
from tests.stack.conftest import Maker
from tests.stack.installation import BEGINNING, SERVICES, Installation
from tests.thorough import all_but, only

REPLACEMENT = (
    "stop container",
    "create and start container",
    "prove container",
    "remove container",
    "Inventory | Record",
)
UPGRADE = (
    "pull image",
    "tag image",
    "stop container",
    "create and start container",
    "prove container",
    "keep tiny-qwen",
    "the new tiny-qwen|bring tiny-qwen",
    "prove tiny-qwen",
    "move ",
    "remove container",
    "Inventory | Record",
    "Report | Show",
)
MODEL = "tiny-qwen:latest"
RANDOM_KILLS = 6
RANDOM_UPGRADE_KILLS = 6
KILLS = ("alone", "group", "hangup", "interrupt")
# Longer than a stream at which nobody looks goes on.
GONE_SECONDS = 60
ON_THE_FAKE = "histories of kills at each step run on the fake engine"
# What CI kills here: of a replacement, while the old container is stopped and while the new one is
# not proven; of an upgrade, in a pull and at a step of the image; and a pull that a converge began.
REPLACEMENT_IN_CI = {("stop container", "group"), ("prove container", "alone")}
# Not yet those at a model and at the lock: on a busy machine an old image was found with the new
# model after them, and why is not known.
UPGRADE_IN_CI = [
    ("pull image", "alone"),
    ("create and start container", "interrupt"),
]
# By turns the process alone and its group; random moments, below, meet all ways at every step.
UPGRADE_KILLS = dict.fromkeys(
    [*UPGRADE_IN_CI, *((step, KILLS[number % 2]) for number, step in enumerate(UPGRADE))]
)


def in_ci(parameters: Iterable[tuple[str, str]], chosen: Container[tuple[str, str]]) -> list[Any]:
    """Return all of them; those that are not chosen run by --thorough only."""
    return [one if one in chosen else only(*one, why=ON_THE_FAKE) for one in parameters]


def left_behind() -> set[str]:
    """Return the folders of streams; those of pulls that earlier tests killed go by themselves."""
    return {str(path) for path in Path("/tmp").glob("ollama-stack.*")}


@pytest.fixture
def nothing_is_left_behind() -> Iterator[None]:
    before = left_behind()
    yield
    # Others pull at the same time, and their folders go as well: each has a while for that.
    left = left_behind() - before
    deadline = time.monotonic() + GONE_SECONDS
    while left & left_behind() and time.monotonic() < deadline:
        time.sleep(0.5)
    assert left & left_behind() == set()


def mend(stack: Installation, model: str) -> None:
    """The next run ends in old or new, the one after it changes nothing, nothing is left behind."""
    output = stack.converge("lock_wait=60")
    assert output.status == 0, output.text
    again = stack.converge()
    assert set(again.operations.values()) == {"No changes"}, again.text
    assert set(stack.containers()) == {stack.name(service) for service in SERVICES}
    assert stack.rows()["qwen"]["status"] == "active"
    assert stack.digest("qwen", model)


def kill(process: subprocess.Popen[str], how: str) -> None:
    """Kill the process alone or its whole group; close its terminal; or press Ctrl-C."""
    if how == "group":
        os.killpg(process.pid, signal.SIGKILL)
    elif how == "hangup":
        os.killpg(process.pid, signal.SIGHUP)
    elif how == "interrupt":
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.kill()
    process.wait(timeout=30)
    assert process.stdout is not None
    process.stdout.close()


@pytest.mark.usefixtures("nothing_is_left_behind")
@pytest.mark.parametrize(
    ("step", "how"), in_ci(product(REPLACEMENT, ("alone", "group")), REPLACEMENT_IN_CI)
)
def test_after_a_kill_at_each_step_the_next_run_is_whole(
    stack: Installation, step: str, how: str
) -> None:
    stack.write(qwen={"context": random.randrange(512, 4096)})
    process = stack.begin()
    stack.read_until(process, step)
    kill(process, how)
    mend(stack, "tiny-qwen:v1")


@pytest.mark.usefixtures("nothing_is_left_behind")
@pytest.mark.parametrize("number", all_but(0, range(RANDOM_KILLS), why=ON_THE_FAKE))
def test_after_a_kill_at_any_time_the_next_run_is_whole(stack: Installation, number: int) -> None:
    stack.write(qwen={"context": random.randrange(512, 4096)})
    process = stack.begin()
    time.sleep(random.uniform(0.5, 4.5))
    kill(process, KILLS[number % 2])
    mend(stack, "tiny-qwen:v1")


def test_a_killed_pull_is_taken_up_by_the_next_run(stack: Installation) -> None:
    stack.write(qwen={"also": ["tiny-qwen:v2"]})
    process = stack.begin()
    assert process.stdout is not None
    for line in process.stdout:
        if "at the registry" in line:
            break
    kill(process, "group")
    output = stack.converge("lock_wait=60")
    assert output.status == 0, output.text
    assert stack.digest("qwen", "tiny-qwen:v2")


# --- upgrades and rollbacks: image and model at once --------------------------------------------


@pytest.fixture(scope="module")
def moving(make: Maker) -> Iterator[Installation]:
    """An installation that runs the old image and model under tags that have moved since."""
    with moves.image_tag("latest", "0.17.4"):
        stack = make(settings={"start_timeout": 30})
        stack.write(qwen={"model": MODEL, "image": "ollama/ollama:latest"})
        stack.forget_image("latest")
        assert stack.converge().status == 0
    with (
        moves.image_tag("latest", "0.24.0"),
        moves.model_tag("tiny-qwen", "latest", "v2"),
    ):
        yield stack


def begin_move(stack: Installation, number: int) -> tuple[subprocess.Popen[str], list[str]]:
    """Start an upgrade where the old one runs, and a rollback where the new one does.

    Every other upgrade finds nothing kept: it has to pull.
    """
    is_old = stack.ask("qwen", "/api/version") == {"version": "0.17.4"}
    if is_old and number % 2:
        for tag in stack.own_tags():
            stack.client.images.remove(tag)
        if stack.digest("qwen", f"{MODEL}-previous"):
            stack.delete_model("qwen", f"{MODEL}-previous")
    deploy = "deploys/upgrade.py" if is_old else "deploys/rollback.py"
    dry = stack.pyinfra("--dry", "--data", "only=qwen", deploy=deploy)
    return stack.begin("--data", "only=qwen", deploy=deploy), dry.planned


def is_one_of_both(stack: Installation) -> None:
    """Old or new as a whole: what the lock holds is what runs, and nothing else is left."""
    lock, image = stack.proven("qwen"), stack.inspect("qwen")["Image"]
    assert lock.image is not None
    digests = stack.client.images.get(image).attrs["RepoDigests"]
    assert lock.image.digest in {digest.partition("@")[2] for digest in digests}
    assert stack.digest("qwen", MODEL) == lock.model_digests[MODEL].removeprefix("sha256:")
    is_old = stack.ask("qwen", "/api/version") == {"version": "0.17.4"}
    assert lock.model_digests[MODEL] == models.digest("tiny-qwen", "v1" if is_old else "v2")
    held = {m["name"] for m in stack.ask("qwen", "/api/tags")["models"]}
    assert held <= {MODEL, f"{MODEL}-previous"}
    assert {tag.rpartition("-")[2] for tag in stack.own_tags()} <= {"previous"}


@pytest.mark.usefixtures("no_dangling_image")
@pytest.mark.parametrize(("step", "how"), in_ci(UPGRADE_KILLS, UPGRADE_IN_CI))
def test_after_a_kill_at_each_step_of_an_upgrade_the_next_run_is_whole(
    moving: Installation, step: str, how: str
) -> None:
    process, planned = begin_move(moving, UPGRADE.index(step) // 2 + 1)
    kinds = "|".join(UPGRADE).split("|")
    unknown = [line for line in planned if not any(kind in line for kind in kinds)]
    assert unknown == [], "every step of the plan is a place to kill at"
    moving.read_until(process, *step.split("|"))
    kill(process, how)
    mend(moving, MODEL)
    is_one_of_both(moving)


@pytest.mark.usefixtures("no_dangling_image")
@pytest.mark.parametrize("number", all_but(0, range(RANDOM_UPGRADE_KILLS), why=ON_THE_FAKE))
def test_after_a_kill_at_any_time_of_an_upgrade_the_next_run_is_whole(
    moving: Installation, number: int
) -> None:
    process, _ = begin_move(moving, number)
    moving.read_until(process, BEGINNING)
    time.sleep(random.uniform(0, 7))
    kill(process, KILLS[number % len(KILLS)])
    mend(moving, MODEL)
    is_one_of_both(moving)


@pytest.fixture
def no_dangling_image(moving: Installation) -> Iterator[None]:
    before = moving.dangling()
    yield
    assert moving.dangling() <= before
