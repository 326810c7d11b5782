"""Each named fault gives its message, its exit status and an unchanged state (6, 8, 9)."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lab import faults, moves
from tests.stack.conftest import Maker, others
from tests.stack.installation import Installation, Output
from tests.thorough import only

IMAGE = "ollama/ollama"
BY_UNIT_TESTS = "a status of the same kind; each has its words in unit tests"


@contextmanager
def declared(stack: Installation, **changes: Any) -> Iterator[None]:
    """Declare something else for a while, and converge back afterwards."""
    before = stack.stack_file.read_text()
    kept = {name: dict(table) for name, table in stack.declared["models"].items()}
    top = {key: value for key, value in stack.declared.items() if key != "models"}
    stack.write(**changes)
    try:
        yield
    finally:
        stack.declared = {**top, "models": kept}
        stack.stack_file.write_text(before)
        assert stack.converge().status == 0


def forget(stack: Installation, model: str) -> None:
    """Delete a model of qwen that an earlier test left."""
    if stack.digest("qwen", model):
        stack.delete_model("qwen", model)


def assert_failed(output: Output, *parts: str) -> None:
    """The run failed, and its last lines name cause and remedy."""
    assert output.status == 1, output.text
    assert "remedy:" in output.last
    for part in parts:
        assert part in output.last, output.text


def test_fault_38_an_invalid_declaration_names_every_fault_and_touches_nothing(
    stack: Installation,
) -> None:
    before = stack.containers(), stack.database.read_bytes()
    with declared(stack, gpu="of", qwen={"port": 0, "modle": "x"}):
        output = stack.converge()
    assert output.status != 0
    for part in ("gpu: should be", "models.qwen.port: should be", "did you mean model?"):
        assert part in output.text
    assert (stack.containers(), stack.database.read_bytes()) == before


def test_fault_17_an_unknown_model_fails_alone_and_the_others_converge(
    stack: Installation,
) -> None:
    with declared(stack, qwen={"model": "tiny-qwne:v1"}, mistral={"context": 1024}):
        before = others(stack, "mistral")
        output = stack.converge()
        assert_failed(output, "qwen", "has no model tiny-qwne:v1", "check the spelling")
        assert others(stack, "mistral") == before, "qwen serves on as it was"
        assert "OLLAMA_CONTEXT_LENGTH=1024" in stack.inspect("mistral")["Config"]["Env"]
        assert stack.rows()["qwen"]["status"] == "inactive"
        assert stack.rows()["mistral"]["status"] == "active"


@pytest.mark.parametrize(
    ("tag", "part"),
    [
        ("broken-start", "ended with exit code"),
        ("broken-silent", "did not answer at"),
        ("broken-generate", "did not generate"),
    ],
)
def test_fault_30_an_image_that_does_not_work_is_rolled_back_and_the_others_converge(
    stack: Installation, tag: str, part: str
) -> None:
    old = stack.inspect("qwen")["Id"]
    image = f"{IMAGE}:{tag}"
    with declared(stack, start_timeout=8, qwen={"image": image}, mistral={"context": 1024}):
        output = stack.converge()
        assert_failed(output, "qwen", part, "the container before it serves again")
        assert stack.inspect("qwen")["Id"] == old
        assert stack.inspect("qwen")["State"]["Status"] == "running"
        assert stack.ask("qwen", "/api/version") == {"version": "0.24.0"}
        assert f"{stack.name('qwen')}-previous" not in stack.containers()
        assert "OLLAMA_CONTEXT_LENGTH=1024" in stack.inspect("mistral")["Config"]["Env"]
        assert stack.rows()["qwen"]["status"] == "active"
    if tag == "broken-start":
        assert list((stack.database.parent / ".failed").glob(f"{stack.name('qwen')}-*.log"))


def test_fault_30_a_port_that_cannot_be_published_brings_the_old_container_back(
    stack: Installation,
) -> None:
    old = stack.inspect("qwen")["Id"]
    # An address of documentation (RFC 5737), which no machine has.
    with declared(stack, start_timeout=8, qwen={"bind": "192.0.2.1", "allow_public": True}):
        output = stack.converge()
        assert_failed(output, "192.0.2.1", "the container before it serves again")
        assert "docker rm" not in output.last
        assert stack.inspect("qwen")["Id"] == old
        assert stack.ask("qwen", "/api/version") == {"version": "0.24.0"}


def test_fault_33_an_adopted_volume_stays_adopted(stack: Installation, make: Maker) -> None:
    mine = make()
    mine.client.volumes.create(mine.name("qwen"))
    assert_failed(mine.converge(), f"volume {mine.name('qwen')} is not ours", "adopt=qwen")
    assert mine.converge("adopt=qwen").status == 0
    output = mine.converge()
    assert output.status == 0, output.text
    assert set(output.operations.values()) == {"No changes"}


def test_remove_takes_only_what_it_is_told_to(make: Maker) -> None:
    mine = make()
    assert mine.converge().status == 0
    before = mine.containers()
    output = mine.pyinfra(
        "-y", "--data", "only=qwen", "--data", "purge=true", deploy="deploys/remove.py"
    )
    assert output.status == 0, output.text
    gone = mine.name("qwen")
    assert mine.containers() == {name: seen for name, seen in before.items() if name != gone}
    volumes = {v.name for v in mine.client.volumes.list()}
    assert gone not in volumes
    assert mine.name("deepseek") in volumes


def test_fault_33_a_foreign_container_of_our_name_is_left_alone_without_consent(
    stack: Installation,
) -> None:
    name = stack.name("qwen")
    image = stack.inspect("qwen")["Config"]["Image"]
    stack.client.containers.get(name).remove(force=True)
    foreign = stack.client.containers.create(image, name=name)
    output = stack.converge()
    assert_failed(output, f"container {name} is not ours", "--data adopt=qwen")
    assert stack.inspect("qwen")["Id"] == foreign.id
    output = stack.converge("adopt=qwen")
    assert output.status == 0, output.text
    assert stack.inspect("qwen")["Id"] != foreign.id
    assert stack.rows()["qwen"]["status"] == "active"


def test_fault_20_who_holds_a_port_is_named_and_never_killed(stack: Installation) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        before = stack.containers()
        with declared(stack, qwen={"port": port}):
            output = stack.converge()
            assert_failed(output, f"port {port} is taken", f"PID {os.getpid()}")
            assert stack.containers() == before
            holder.close()


def test_fault_5_without_a_card_a_required_gpu_is_an_error_and_auto_is_not(
    stack: Installation,
) -> None:
    if shutil.which("nvidia-smi"):
        pytest.skip("this machine has an NVIDIA driver")
    before = stack.containers()
    with declared(stack, gpu="required", qwen={"context": 512}):
        output = stack.converge()
        assert_failed(output, "NVIDIA")
        assert output.done == []
        assert stack.containers() == before
    with declared(stack, gpu="auto"):
        output = stack.converge()
        assert output.status == 0, output.text
        assert "models run on the CPU" in output.text
        assert stack.containers() == before


def test_fault_21_a_dead_engine_is_no_empty_host(stack: Installation, make: Maker) -> None:
    nowhere = make()
    nowhere.write(docker_socket=str(nowhere.folder / "nobody.sock"))
    for output in (nowhere.dry(), nowhere.converge()):
        assert output.status == 1
        assert "create" not in " ".join(output.planned)
        assert "remedy:" in output.last
    nowhere.write(docker_socket=nowhere.docker_socket)


def test_fault_25_a_registry_that_does_not_answer_fails_only_what_needs_it(
    stack: Installation,
) -> None:
    with declared(stack, model_registry="127.0.0.1:9", qwen={"model": "tiny-qwen:v2"}):
        before = stack.containers()
        output = stack.converge()
        assert_failed(output, "the registry 127.0.0.1:9 does not answer", "setup --demo")
        assert "deepseek" not in output.last
        assert stack.containers() == before


@pytest.mark.parametrize(
    ("name", "part"),
    [
        only("models-401", "wants a login", why=BY_UNIT_TESTS),
        only("models-404", "has no model", why=BY_UNIT_TESTS),
        ("models-412", "needs a newer Ollama"),
        only("models-429", "limits how often", why=BY_UNIT_TESTS),
        only("models-500", "a fault of its own", why=BY_UNIT_TESTS),
        ("models-down", "does not answer"),
        ("models-stalled", "does not answer"),
        ("models-truncated", "damaged manifest"),
    ],
)
def test_fault_25_each_answer_of_the_model_registry_has_its_message(
    stack: Installation, name: str, part: str
) -> None:
    with declared(stack, qwen={"model": "tiny-qwen:v2"}):
        forget(stack, "tiny-qwen:v2")
        before = stack.containers()
        with faults.inject(name):
            output = stack.converge()
        assert_failed(output, "tiny-qwen:v2", part)
        assert stack.containers() == before
        assert stack.digest("qwen", "tiny-qwen:v1"), "the old model still serves"
        assert stack.converge().status == 0


@pytest.mark.parametrize(
    ("name", "part"),
    [
        only("images-401", "wants a login", why=BY_UNIT_TESTS),
        ("images-404", "has no image"),
        only("images-429", "limits how often", why=BY_UNIT_TESTS),
        only("images-500", "a fault of its own", why=BY_UNIT_TESTS),
        ("images-down", "does not answer"),
    ],
)
def test_fault_25_each_answer_of_the_image_registry_has_its_message(
    stack: Installation, name: str, part: str
) -> None:
    tag = "latest"
    for image in stack.client.images.list(f"{stack.lab.image_mirror}/{IMAGE}"):
        if f"{stack.lab.image_mirror}/{IMAGE}:{tag}" in image.tags:
            stack.client.images.remove(f"{stack.lab.image_mirror}/{IMAGE}:{tag}")
    with declared(stack, qwen={"image": f"{IMAGE}:{tag}"}):
        before = stack.containers()
        with faults.inject(name):
            output = stack.converge()
        assert_failed(output, f"{IMAGE}:{tag}", part)
        assert stack.containers() == before, "the old container still serves"


def test_fault_11_a_pull_that_was_cut_goes_on_where_it_stopped(stack: Installation) -> None:
    with declared(stack, pull_retries=0, qwen={"model": "tiny-large:v1"}):
        before = stack.containers()
        with faults.inject("blobs-slow", only="tiny-large:v1", rate="2m"):
            process = stack.begin()
            assert process.stdout is not None
            for line in process.stdout:
                if "tiny-large:v1: " in line and "left" in line:
                    break
            process.kill()
            process.wait(timeout=30)
            process.stdout.close()
        output = stack.converge()
        assert output.status == 0, output.text
        assert stack.containers() == before, "the server is not restarted"
        assert stack.digest("qwen", "tiny-large:v1")


def test_fault_12_a_pull_that_stalls_is_bounded_and_told(stack: Installation) -> None:
    with declared(stack, pull_stall=3, pull_retries=1, qwen={"model": "tiny-large:v1"}):
        forget(stack, "tiny-large:v1")
        with faults.inject("blobs-stalled", only="tiny-large:v1"):
            output = stack.converge()
        assert_failed(output, "stalled: no byte for 3 s", "goes on where it stopped")
        assert "trying again" in output.text
        assert stack.rows()["qwen"]["status"] == "inactive"


def test_fault_15_a_flipped_byte_is_found_and_pulled_once_more(stack: Installation) -> None:
    with declared(stack, qwen={"model": "tiny-qwen:v2"}):
        forget(stack, "tiny-qwen:v2")
        with faults.inject("blobs-flipped", only="tiny-qwen:v2"):
            output = stack.converge()
        assert_failed(output, "tiny-qwen:v2 arrived damaged")
        assert output.text.count("trying again") == 1
        assert stack.converge().status == 0
        assert stack.rows()["qwen"]["status"] == "active"


def test_fault_14_a_model_that_needs_a_newer_server_says_so(stack: Installation) -> None:
    table = {"image": f"{IMAGE}:0.17.4", "model": "tiny-new:v1"}
    with declared(stack, qwen=table):
        output = stack.converge()
        assert_failed(output, "tiny-new:v1", "a newer Ollama")
        assert "trying again" not in output.text


def test_fault_13_a_disk_that_is_too_small_is_refused_before_anything_is_pulled(
    stack: Installation,
) -> None:
    with declared(stack, disk_reserve_gb=10**6, qwen={"model": "tiny-large:v1"}):
        forget(stack, "tiny-large:v1")
        before = stack.containers()
        output = stack.converge()
        assert_failed(output, "the disk is too small", "are free at")
        assert output.done == []
        assert stack.containers() == before


def test_fault_37_with_everything_present_no_network_is_needed(stack: Installation) -> None:
    with declared(stack, model_registry="127.0.0.1:9", image_mirror="127.0.0.1:9"):
        output = stack.converge()
        assert output.status == 0, output.text


def test_fault_16_a_tag_that_moved_is_not_taken(stack: Installation) -> None:
    with declared(stack, qwen={"model": "tiny-qwen:latest"}):
        assert stack.converge().status == 0
        proven = stack.digest("qwen", "tiny-qwen:latest")
        with moves.model_tag("tiny-qwen", "latest", "v2"):
            assert stack.converge().status == 0
            assert stack.digest("qwen", "tiny-qwen:latest") == proven
            stack.delete_model("qwen", "tiny-qwen:latest")
            output = stack.converge()
            assert_failed(output, "the registry offers another one now", "./main.sh upgrade qwen")
        assert stack.converge().status == 0
        assert stack.digest("qwen", "tiny-qwen:latest") == proven


def test_fault_18_a_proxy_of_the_host_alone_is_named_before_a_pull(
    stack: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://user:hunter2@127.0.0.1:9")
    with declared(stack, qwen={"model": "tiny-qwen:v2"}):
        forget(stack, "tiny-qwen:v2")
        output = stack.dry()
    assert "this host's programs use a proxy (https_proxy)" in output.text
    assert "hunter2" not in output.text


def test_fault_15_a_model_that_cannot_be_loaded_leaves_the_server_up(stack: Installation) -> None:
    before = stack.containers()
    with declared(stack, qwen={"model": "tiny-broken:v1"}):
        output = stack.converge()
        assert_failed(output, "tiny-broken:v1 did not generate")
        assert stack.containers() == before


def test_fault_35_a_spoiled_database_is_set_aside_and_rebuilt(stack: Installation) -> None:
    rows = stack.rows()
    stack.database.write_bytes(b"garbage" * 100)
    output = stack.converge()
    assert output.status == 0, output.text
    assert "it is kept as" in output.text
    assert {name: row["installed_version"] for name, row in stack.rows().items()} == {
        name: row["installed_version"] for name, row in rows.items()
    }


def test_a_lock_that_cannot_be_read_is_named_and_left_alone(stack: Installation) -> None:
    good = stack.lock.read_bytes()
    stack.lock.write_text("this is = [not a lock")
    output = stack.converge()
    assert output.status != 0
    assert str(stack.lock) in output.text
    assert stack.lock.read_text() == "this is = [not a lock"
    stack.lock.write_bytes(good)


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--dry", "-y"], "do not go together"),
        (["--no-wait", "-y"], "--no-wait is refused"),
        ([], "add -y"),
        (["-y", "--data", "image=0.30"], "write it in quotes"),
        (["-y", "--data", "only=nobody"], "there is no service 'nobody'"),
        (["-y", "--data", "colour=red"], "there is no such setting"),
    ],
)
def test_wrong_use_is_refused_before_anything_is_looked_at(
    stack: Installation, words: list[str], part: str
) -> None:
    before = stack.containers()
    output = stack.pyinfra(*words)
    assert output.status != 0
    assert part in output.text
    assert stack.containers() == before


@pytest.mark.parametrize("moment", ["stop container", "create and start container", "prove"])
def test_fault_29_ctrl_c_ends_with_130_and_the_next_run_finishes(
    stack: Installation, moment: str
) -> None:
    with declared(stack, qwen={"context": 512}, deepseek={"context": 512}):
        process = stack.begin()
        stack.read_until(process, moment)
        process.send_signal(signal.SIGINT)
        text = process.communicate(timeout=60)[0]
        assert process.wait(timeout=60) == 130
        assert "run again to finish or undo it" in text
        assert "Traceback" not in text
        output = stack.converge("lock_wait=60")
        assert output.status == 0, output.text
        assert set(stack.converge().operations.values()) == {"No changes"}
        assert not [name for name in stack.containers() if name.endswith("-previous")]
