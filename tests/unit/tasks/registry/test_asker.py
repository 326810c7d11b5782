"""Whoever asks registries for a run: from its host, each thing once, whatever changes meanwhile."""

from __future__ import annotations

import json
import re

from tasks.containers.observed import Snapshot
from tasks.registry.asker import asker_of
from tasks.registry.lookups import image_of, model_of
from tasks.registry.manifests import RegistryFault, RemoteManifest
from tasks.run.run import Run
from tasks.shell.local import Result
from tests.unit.tasks.runs import Asked, SaidShell, run_on
from tests.unit.tasks.said import enveloped
from tests.unit.tasks.samples import snapshot, stack

DIGESTS = {machine: f"sha256:{number:064}" for number, machine in enumerate(("amd64", "arm64"), 1)}
INDEX = {
    "manifests": [
        {"digest": digest, "platform": {"os": "linux", "architecture": machine}}
        for machine, digest in DIGESTS.items()
    ]
}
STACK = stack(model_registry="10.0.0.9:5000", image_mirror="10.0.0.9:5001")
QWEN = STACK.services[0]


def manifest(size: int) -> dict[str, object]:
    return {
        "config": {"digest": f"sha256:{8:064}", "size": 0},
        "layers": [{"digest": f"sha256:{9:064}", "size": size}],
    }


def registry(asked: Asked) -> Result:
    """Answer as a registry that has everything: an image of 10 bytes here, of 20 there."""
    held: object = manifest(5)
    if QWEN.image.partition(":")[0] in asked.script + asked.stdin:
        wanted = re.search(r"sha256:0+(\d)", asked.script + asked.stdin)
        held = manifest(10 * int(wanted[1])) if wanted else INDEX
    body = json.dumps(held)
    return Result(True, enveloped(f"HTTP/1.1 200 OK\r\n\r\n{body}\n200 {len(body)}"), "")


def run_of(shell: SaidShell, seen: Snapshot) -> Run:
    run = run_on(shell, STACK)
    run.seen.once(Snapshot, lambda: seen)
    return run


def test_an_image_is_asked_for_once_and_its_layers_are_those_of_the_host() -> None:
    shell = SaidShell(registry)
    run = run_of(shell, snapshot(architecture="arm64"))
    found = image_of(run, QWEN)
    assert isinstance(found, RemoteManifest) and found.size == 20
    asked = len(shell.asked)
    run.seen.forget()
    assert image_of(run, QWEN) is found
    assert len(shell.asked) == asked, "what a registry offered holds for the run"


def test_a_model_is_asked_for_once_and_another_run_asks_again() -> None:
    shell = SaidShell(registry)
    run = run_of(shell, snapshot())
    found = model_of(run, QWEN.model)
    assert isinstance(found, RemoteManifest) and found.size == 5
    assert model_of(run, QWEN.model) is found and len(shell.asked) == 1
    model_of(run_of(shell, snapshot()), QWEN.model)
    assert len(shell.asked) == 2


def test_a_registry_that_does_not_answer_is_not_asked_twice_either() -> None:
    shell = SaidShell()
    run = run_of(shell, snapshot())
    assert isinstance(model_of(run, QWEN.model), RegistryFault)
    assert isinstance(model_of(run, QWEN.model), RegistryFault)
    assert len(shell.asked) == 1


def test_what_is_secret_goes_to_the_host_by_the_standard_input() -> None:
    shell = SaidShell()
    asker_of(run_on(shell, STACK)).sh("curl", stdin="token", timeout=7)
    (asked,) = shell.asked
    assert (asked.script, asked.stdin, asked.timeout) == ("curl", "token", 7)
