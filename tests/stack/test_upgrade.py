"""Upgrades and rollbacks on the real Ollama 0.17 and 0.24, with models whose tags move."""

from __future__ import annotations

import json
import re
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lab import faults, models, moves
from tests.stack.conftest import Maker, others
from tests.stack.installation import SERVICES, Installation

OLD, NEW = "ollama/ollama:0.17.4", "ollama/ollama:0.24.0"
MODEL = "tiny-qwen:latest"
DOWNTIME = re.compile(r"(\w+) did not answer for ([\d.]+) s")


@pytest.fixture(scope="module")
def base(make: Maker) -> Installation:
    """An installation that tests share for as long as they leave it as it was."""
    return make(settings={"image": OLD})


@pytest.fixture
def old(base: Installation) -> Installation:
    """An installation of the old release, whose model has a tag that moves."""
    base.declared["models"]["qwen"] = {
        **base.declared["models"]["deepseek"],
        "port": base.first_port,
    }
    for key in ("image", "also"):
        base.declared["models"]["qwen"].pop(key, None)
    mirror, registry = base.lab.image_mirror, base.lab.model_registry
    base.write(image=OLD, image_mirror=mirror, model_registry=registry, qwen={"model": MODEL})
    for key in ("keep_previous", "start_timeout", "generate_timeout"):
        base.declared.pop(key, None)
    base.write()
    is_there = len(base.containers()) == len(SERVICES) and base.lock.exists()
    if (
        is_there
        and not base.own_tags()
        and set(held(base)) == {MODEL}
        and not base.proven("qwen").previous_models
    ):
        return base
    base.take_down()
    base.lock.unlink(missing_ok=True)
    output = base.converge()
    assert output.status == 0, output.text
    return base


def chat(stack: Installation, service: str = "qwen") -> str:
    model = stack.declared["models"][service]["model"]
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}], "stream": False}
    return str(stack.ask(service, "/api/chat", body)["message"]["content"])


def version(stack: Installation, service: str = "qwen") -> str:
    return str(stack.ask(service, "/api/version")["version"])


def state(stack: Installation) -> dict[str, object]:
    """Everything that a failed upgrade has to leave as it was."""
    return {
        "containers": {name: stack.inspect(name)["Id"] for name in SERVICES},
        "models": {name: held(stack, name) for name in SERVICES},
        "tags": stack.own_tags(),
        "lock": stack.lock.read_text(),
    }


def held(stack: Installation, service: str = "qwen") -> dict[str, str]:
    return {m["name"]: m["digest"] for m in stack.ask(service, "/api/tags")["models"]}


def assert_serves(stack: Installation) -> None:
    """All serve, nothing is left over, and a converge has nothing to do."""
    for service in SERVICES:
        assert chat(stack, service)
        assert stack.rows()[service]["status"] == "active"
    assert set(stack.containers()) == {stack.name(service) for service in SERVICES}
    output = stack.converge()
    assert set(output.operations.values()) == {"No changes"}, output.text


@dataclass
class Client:
    """Somebody who asks every 100 ms, and remembers when nobody answered."""

    url: str
    refused: list[float] = field(default_factory=list)
    asked: int = 0

    def ask(self) -> None:
        self.asked += 1
        try:
            urllib.request.urlopen(f"{self.url}/api/version", timeout=5).close()
        except OSError:
            self.refused.append(time.monotonic())

    @property
    def gap(self) -> float:
        """Seconds from the first refusal to the last."""
        return self.refused[-1] - self.refused[0] if self.refused else 0.0


@contextmanager
def clients(stack: Installation) -> Iterator[dict[str, Client]]:
    """Ask all servers every 100 ms for the time of a block."""
    asking = {service: Client(stack.url(service)) for service in SERVICES}
    is_over = threading.Event()

    def go_on(client: Client) -> None:
        while not is_over.wait(0.1):
            client.ask()

    threads = [threading.Thread(target=go_on, args=(client,)) for client in asking.values()]
    for thread in threads:
        thread.start()
    try:
        yield asking
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def test_image_and_model_move_together_and_the_others_notice_nothing(old: Installation) -> None:
    volumes = old.volumes()
    before = chat(old), held(old)[MODEL], others(old, "qwen")
    old.write(image=NEW)
    with moves.model_tag("tiny-qwen", "latest", "v2") as moved, clients(old) as asking:
        dry = old.pyinfra("--dry", "--data", "only=qwen", deploy="deploys/upgrade.py")
        assert others(old, "qwen") == before[2]
        assert held(old)[MODEL] == before[1], "a dry run changes nothing"
        output = old.upgrade("only=qwen")
    assert output.status == 0, output.text
    assert dry.planned == output.planned
    assert [step for step in output.done if step in dry.planned] == dry.planned
    assert "to download" in dry.text
    assert (version(old), held(old)[MODEL]) == ("0.24.0", moved.removeprefix("sha256:"))
    assert (version(old, "deepseek"), others(old, "qwen")) == ("0.17.4", before[2])
    told = {name: float(seconds) for name, seconds in DOWNTIME.findall(output.text)}
    assert set(told) == {"qwen"}
    assert asking["qwen"].gap <= told["qwen"]
    assert asking["qwen"].refused
    assert not asking["deepseek"].refused + asking["mistral"].refused
    lock = old.proven("qwen")
    assert lock.image is not None
    assert lock.image.previous is not None
    assert (lock.image.reference, lock.image.previous.reference) == (NEW, OLD)
    assert lock.model_digests[MODEL] == moved
    assert lock.previous_models[MODEL] == f"sha256:{before[1]}"
    assert old.rows()["qwen"]["installed_version"] == f"{MODEL}@{moved[7:19]}"
    assert old.rows("services")["qwen"]["ollama"] == "0.24.0"
    assert old.volumes() == volumes
    assert chat(old) != before[0], "the new model says something else"
    old.write(image=OLD, qwen={"image": NEW})
    assert_serves(old)


def test_a_rollback_needs_no_network_and_a_second_one_goes_forward_again(
    old: Installation,
) -> None:
    before = chat(old), held(old)[MODEL]
    old.write(image=NEW)
    with moves.model_tag("tiny-qwen", "latest", "v2") as moved:
        assert old.upgrade().status == 0
    kept = old.main("status").text
    assert "kept for a rollback" in kept
    assert OLD in kept
    old.write(model_registry="127.0.0.1:9", image_mirror=old.lab.image_mirror)
    with faults.inject("images-down"):
        output = old.main("rollback")
    assert output.status == 0, output.text
    assert (version(old), chat(old), held(old)[MODEL]) == ("0.17.4", *before)
    assert 'image = "ollama/ollama:0.17.4"' in old.stack_file.read_text()
    old.declared["image"] = OLD
    assert_serves(old)
    output = old.main("rollback", "qwen")
    assert output.status == 0, output.text
    assert (version(old), held(old)[MODEL]) == ("0.24.0", moved.removeprefix("sha256:"))
    assert version(old, "deepseek") == "0.17.4"
    assert_serves(old)


@pytest.mark.parametrize(
    ("tag", "part"),
    [
        ("broken-start", "ended with exit code"),
        ("broken-silent", "did not answer at"),
        ("broken-generate", "did not generate"),
    ],
)
def test_fault_30_a_bad_image_is_put_back_and_the_others_are_not_touched(
    old: Installation, tag: str, part: str
) -> None:
    before = state(old)
    image = f"{old.lab.image_mirror}/ollama/ollama:{tag}"
    old.forget_image(tag)
    old.write(start_timeout=8, generate_timeout=60)
    declared = old.stack_file.read_text()
    with clients(old) as asking:
        output = old.main("upgrade", "--to", tag)
    assert output.status == 1, output.text
    assert part in output.last
    assert "the container before it serves again" in output.last
    assert "log kept in" in output.last
    assert list((old.folder / ".failed").glob(f"{old.name('qwen')}-*.log"))
    assert state(old) == before
    assert old.stack_file.read_text() == declared
    assert not asking["deepseek"].refused + asking["mistral"].refused
    references = {tag for image in old.client.images.list() for tag in image.tags}
    assert image not in references, "no stray tag"
    assert_serves(old)


def test_fault_15_a_model_that_cannot_be_loaded_takes_the_new_image_back_with_it(
    old: Installation,
) -> None:
    before = state(old)
    old.write(image=NEW)
    with moves.model_tag("tiny-qwen", "latest", "tiny-broken:v1"):
        output = old.upgrade()
    assert output.status == 1, output.text
    assert f"{MODEL} did not generate" in output.last
    assert f"the container before it serves again, {MODEL} as before" in output.last
    assert state(old) == before
    old.write(image=OLD)
    assert_serves(old)


def test_fault_14_an_image_and_a_model_that_need_each_other_both_move_or_neither(
    make: Maker,
) -> None:
    stack = make(settings={"image": NEW})
    stack.write(qwen={"model": "tiny-new:v1"})
    assert stack.converge().status == 0
    stack.write(image=OLD)
    assert stack.converge().status == 0
    before = state(stack)
    with moves.model_tag("tiny-new", "v1", "tiny-qwen:v2") as moved:
        # The registry answers 412 to the old server.
        output = stack.upgrade("parts=models")
        assert output.status == 1, output.text
        assert "needs a newer Ollama" in output.last
        assert state(stack) == before, "neither"
        stack.write(image=NEW)
        output = stack.upgrade()
    assert output.status == 0, output.text
    assert (version(stack), held(stack)["tiny-new:v1"]) == ("0.24.0", moved[7:]), "both"
    assert_serves(stack)


def test_fault_25_a_registry_that_is_down_fails_what_needs_it_and_changes_nothing(
    old: Installation,
) -> None:
    before = state(old)
    old.write(qwen={"image": NEW})
    with faults.inject("images-down"):
        output = old.upgrade("only=qwen")
    assert output.status == 1
    assert "does not answer" in output.last
    assert state(old) == before
    old.write(qwen={"image": OLD})
    assert_serves(old)


def test_fault_16_a_moved_tag_is_told_by_a_converge_and_taken_by_an_upgrade_only(
    old: Installation,
) -> None:
    before = held(old)
    with moves.model_tag("tiny-qwen", "latest", "v2") as moved:
        output = old.converge()
        assert "upgrade available" in output.text
        assert moved[7:19] in output.text
        assert held(old) == before
        assert old.upgrade("only=qwen").status == 0
        assert "upgrade available" not in old.converge().text
    assert held(old)[MODEL] == moved[7:]


def test_fault_31_a_rollback_that_fails_too_prints_the_commands(
    old: Installation, tmp_path: Path
) -> None:
    certificate = tmp_path / "ca.pem"
    certificate.write_text("")
    old.write(ca_certificate=str(certificate))
    assert old.converge().status == 0
    image = old.inspect("qwen")["Config"]["Image"]
    old.write(qwen={"image": "ollama/ollama:broken-generate"})
    run = old.begin("--data", "only=qwen", deploy="deploys/upgrade.py")
    old.read_until(run, "prove container")
    # The old container cannot start without the file that it mounts.
    certificate.unlink()
    text = run.communicate(timeout=180)[0]
    assert run.returncode == 1, text
    assert "Traceback" not in text
    assert "did not come back" in text
    assert f"by hand: docker start {old.name('qwen')}" in text, text
    assert old.inspect("qwen")["Config"]["Image"] == image
    del old.declared["ca_certificate"]
    old.write(qwen={"image": OLD})
    assert old.converge().status == 0
    assert_serves(old)


def test_fault_33_a_foreign_container_under_the_name_that_was_set_aside_is_left_alone(
    old: Installation,
) -> None:
    old.write(qwen={"image": "ollama/ollama:broken-generate"})
    run = old.begin("--data", "only=qwen", deploy="deploys/upgrade.py")
    old.read_until(run, "prove container")
    aside = f"{old.name('qwen')}-previous"
    old.client.api.rename(aside, f"{old.prefix}mislaid")
    foreign = old.client.containers.create(old.inspect("deepseek")["Config"]["Image"], name=aside)
    text = run.communicate(timeout=180)[0]
    assert run.returncode == 1, text
    assert "a container that is not ours bears the name" in text
    assert old.client.containers.get(aside).id == foreign.id
    foreign.remove(force=True)
    old.write(qwen={"image": OLD})
    output = old.converge()
    assert output.status == 0, output.text
    assert_serves(old)


def test_an_undo_does_not_need_the_log_of_what_failed(old: Installation) -> None:
    before = state(old)
    folder = old.folder / ".failed"
    if folder.exists():
        folder.rename(old.folder / "kept-logs")
    folder.write_text("no folder")
    old.write(qwen={"image": "ollama/ollama:broken-start"}, start_timeout=8)
    output = old.upgrade("only=qwen")
    assert output.status == 1
    assert "its log could not be kept" in output.last
    assert "the container before it serves again" in output.last
    assert state(old) == before
    folder.unlink()
    old.write(qwen={"image": OLD})
    assert_serves(old)


def test_services_that_take_each_others_ports_are_converged_first(old: Installation) -> None:
    before = state(old)
    ports = {name: old.port(name) for name in ("qwen", "deepseek")}
    old.write(qwen={"port": ports["deepseek"], "image": NEW}, deepseek={"port": ports["qwen"]})
    output = old.upgrade()
    assert output.status == 1
    assert "converge first" in output.last
    old.write(qwen={"port": ports["qwen"], "image": OLD}, deepseek={"port": ports["deepseek"]})
    assert state(old) == before
    assert_serves(old)


def test_without_keep_previous_nothing_is_kept_of_an_image_that_services_share(
    make: Maker,
) -> None:
    latest = "ollama/ollama:latest"
    stack = make(settings={"image": latest, "keep_previous": False})
    stack.forget_image("latest")
    with moves.image_tag("latest", "0.17.4"):
        assert stack.converge().status == 0
    for service in SERVICES:
        with moves.image_tag("latest", "0.24.0"):
            output = stack.upgrade(f"only={service}")
        assert output.status == 0, output.text
        assert version(stack, service) == "0.24.0"
        assert stack.own_tags() == set()
        assert set(stack.converge().operations.values()) == {"No changes"}
    assert not stack.dangling()
    assert stack.main("status").status == 0


def test_a_run_that_waited_for_an_upgrade_does_not_undo_it(old: Installation) -> None:
    old.write(qwen={"image": NEW})
    with moves.model_tag("tiny-qwen", "latest", "v2"):
        run = old.begin("--data", "only=qwen", deploy="deploys/upgrade.py")
        old.read_until(run, "stop container")
        output = old.converge("lock_wait=120")
        assert run.wait(timeout=120) == 0
    assert run.stdout is not None
    run.stdout.close()
    assert output.status == 0, output.text
    assert "waiting for another run" in output.text
    assert version(old) == "0.24.0"
    assert held(old)[MODEL] == models.digest("tiny-qwen", "v2")[7:]
    assert_serves(old)


def test_extra_models_of_a_service_move_with_it(old: Installation) -> None:
    old.write(qwen={"also": ["tiny-mistral:latest"]})
    assert old.converge().status == 0
    with moves.model_tag("tiny-mistral", "latest", "v2") as moved:
        assert old.upgrade("only=qwen").status == 0
    assert held(old)["tiny-mistral:latest"] == moved[7:]
    assert held(old)["tiny-mistral:latest-previous"]
    old.write(keep_previous=False)
    output = old.converge()
    assert output.status == 0, output.text
    assert "tiny-mistral:latest-previous" not in held(old)
    assert old.own_tags() == set()
    assert_serves(old)


def test_a_rollback_goes_back_to_a_model_of_another_name(old: Installation) -> None:
    output = old.main("upgrade", "qwen", "--models", "--to", "v2")
    assert output.status == 0, output.text
    declared = old.stack_file.read_text()
    assert 'model = "tiny-qwen:v2"' in declared
    old.stack_file.write_text(declared.replace(old.lab.model_registry, "127.0.0.1:9"))
    output = old.main("rollback", "qwen")
    assert output.status == 0, output.text
    assert old.rows()["qwen"]["installed_version"].startswith(f"{MODEL}@")
    assert f'model = "{MODEL}"' in old.stack_file.read_text()
    assert_serves(old)
    output = old.converge("prune=true", "purge=true")
    assert output.status == 0, output.text
    assert "tiny-qwen:v2" not in held(old)
    assert_serves(old)


def test_on_either_engine_nothing_is_left_of_upgrades_that_worked_or_failed(
    on_engine: Installation,
) -> None:
    stack = on_engine
    stack.write(qwen={"image": OLD}, start_timeout=30)
    assert stack.upgrade("only=qwen").status == 0
    assert version_inside(stack) == "0.17.4"
    (kept,) = stack.own_tags()
    assert kept.endswith(f":{stack.name('qwen')}-previous")
    before = stack.inspect("qwen")["Id"]
    stack.write(qwen={"image": "ollama/ollama:broken-start"})
    output = stack.upgrade("only=qwen")
    assert output.status == 1
    assert "the container before it serves again" in output.last
    assert stack.inspect("qwen")["Id"] == before
    assert stack.own_tags() == {kept}
    stack.write(qwen={"image": OLD})
    assert set(stack.converge().operations.values()) == {"No changes"}
    stack.write(qwen={"image": NEW})
    assert stack.rollback("only=qwen").status == 0
    assert version_inside(stack) == "0.24.0"
    assert stack.own_tags() == {kept}
    assert set(stack.converge().operations.values()) == {"No changes"}
    stack.write(keep_previous=False)
    assert stack.converge().status == 0
    assert not stack.own_tags()
    assert not stack.dangling()


def version_inside(stack: Installation) -> str:
    """Ask the container itself: the second engine's ports are in a namespace of their own."""
    container = stack.client.containers.get(stack.name("qwen"))
    return str(container.exec_run(["ollama", "--version"]).output.decode().split()[-1])


def test_nothing_to_go_back_to_is_said(old: Installation) -> None:
    output = old.rollback()
    assert output.status == 1
    assert "nothing to go back to" in output.last
    assert_serves(old)


@pytest.mark.parametrize(
    "words",
    [
        ["upgrade", "nobody"],
        ["upgrade", "--to", "not a tag"],
        ["upgrade", "--models", "--to", "v2"],
        ["rollback", "nobody"],
    ],
)
def test_wrong_use_changes_nothing(old: Installation, words: list[str]) -> None:
    before = old.stack_file.read_text()
    output = old.main(*words)
    assert output.status == 2, output.text
    assert old.stack_file.read_text() == before


def test_upgrades_and_rollbacks_again_and_again_leak_nothing(old: Installation, times: int) -> None:
    def everything() -> dict[str, object]:
        return {
            "containers": len(old.containers()),
            "images": old.images(),
            "tags": old.own_tags(),
            "models": {name: sorted(held(old, name)) for name in SERVICES},
            "volumes": old.volumes(),
        }

    def blobs() -> int:
        """The bytes of all model layers in qwen's volume."""
        volume = Path(old.client.api.inspect_volume(old.name("qwen"))["Mountpoint"])
        return sum(path.stat().st_size for path in (volume / "models" / "blobs").iterdir())

    with moves.model_tag("tiny-qwen", "latest", "v2"):
        old.write(qwen={"image": NEW})
        assert old.upgrade("only=qwen").status == 0
        before = everything(), blobs()
        for _ in range(times // 2):
            output = old.main("rollback", "qwen")
            assert output.status == 0, output.text
            output = old.main("upgrade", "qwen", "--to", "0.24.0")
            assert output.status == 0, output.text
        assert everything() == before[0]
        assert abs(blobs() - before[1]) <= before[1] / 100
    assert json.loads(old.main("status", "--json").text)["services"]
