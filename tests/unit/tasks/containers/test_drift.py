"""What counts as drift, what does not, and who is said to have made it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tasks.containers.drift import drift, origin
from tasks.containers.observed import ObservedContainer
from tasks.words.foreign import BadAnswer
from tests.unit.tasks.samples import DIGEST, IMAGE, OTHER_DIGEST, inspect, spec, stack

WANTED = spec(stack())
IMAGES = {IMAGE.id: IMAGE, WANTED.image: IMAGE}


def found(attrs: dict[str, Any]) -> list[str]:
    seen = ObservedContainer.from_inspect(attrs)
    return [str(change) for change in drift(WANTED, seen, IMAGES, DIGEST)]


def test_a_container_as_declared_has_no_drift() -> None:
    assert found(inspect(WANTED)) == []


@pytest.mark.parametrize("mode", ["default", "bridge"])
def test_what_engines_fill_in_is_no_drift(mode: str) -> None:
    attrs = inspect(WANTED)
    attrs["HostConfig"] |= {"NetworkMode": mode, "MemorySwap": -1, "CgroupnsMode": "host"}
    attrs["HostConfig"]["DeviceRequests"] = None
    attrs["Config"]["Env"].reverse()
    assert found(attrs) == []


@pytest.mark.parametrize(
    ("where", "value", "text"),
    [
        (("HostConfig", "Memory"), 1024, "memory 1024 bytes → unlimited"),
        (("HostConfig", "NanoCpus"), 10**9, "cpus 1 cores → unlimited"),
        (("HostConfig", "RestartPolicy"), {"Name": "always"}, "restart always → unless-stopped"),
        (("NetworkSettings", "Networks"), {}, "network none → bridge"),
        (
            ("HostConfig", "PortBindings"),
            {"11434/tcp": [{"HostIp": "", "HostPort": "9"}]},
            "ports 0.0.0.0:9->11434/tcp → 127.0.0.1:11434->11434/tcp",
        ),
        (
            ("HostConfig", "DeviceRequests"),
            [{"Count": -1, "Capabilities": [["gpu"]]}],
            "devices all gpus → none",
        ),
        (("Mounts",), [], "mounts none → volume ollama-qwen at /root/.ollama"),
        (
            ("HostConfig", "LogConfig"),
            {"Type": "journald", "Config": {}},
            "log journald → json-file max-file=3 max-size=10m",
        ),
    ],
)
def test_each_field_shows_its_old_and_new_value(
    where: tuple[str, ...], value: Any, text: str
) -> None:
    attrs = inspect(WANTED)
    table = attrs
    for key in where[:-1]:
        table = table[key]
    table[where[-1]] = value
    assert found(attrs) == [text]


def test_environment_shows_ordinary_values_and_hides_those_that_may_be_secret() -> None:
    attrs = inspect(WANTED)
    attrs["Config"]["Env"] = [
        e for e in attrs["Config"]["Env"] if not e.startswith("OLLAMA_CONTEXT_LENGTH")
    ] + ["OLLAMA_CONTEXT_LENGTH=4096", "HF_TOKEN=hunter2", "OLLAMA_API_KEY=hunter2"]
    lines = found(attrs)
    assert "environment OLLAMA_CONTEXT_LENGTH 4096 → 16384" in lines
    assert "hunter2" not in " ".join(lines)
    assert any("HF_TOKEN" in line for line in lines)
    assert any("OLLAMA_API_KEY" in line for line in lines)


def test_an_image_is_known_by_its_manifest_digest_never_by_its_id() -> None:
    same = replace(IMAGE, id="sha256:" + "9" * 64)
    attrs = inspect(WANTED, same)
    seen = ObservedContainer.from_inspect(attrs)
    assert drift(WANTED, seen, {same.id: same}, DIGEST) == []
    (change,) = drift(WANTED, seen, {same.id: same}, OTHER_DIGEST)
    assert (change.field, change.new) == ("image", f"ollama/ollama:0.24.0@{OTHER_DIGEST[7:19]}")


def test_without_its_image_only_our_own_variables_are_compared() -> None:
    seen = ObservedContainer.from_inspect(inspect(WANTED))
    assert [c.field for c in drift(WANTED, seen, {}, DIGEST)] == ["image"]
    assert drift(WANTED, seen, {}, "") == []


def test_the_label_tells_a_hand_from_the_declaration() -> None:
    attrs = inspect(WANTED)
    attrs["HostConfig"]["Memory"] = 5
    by_hand = ObservedContainer.from_inspect(attrs)
    assert origin(WANTED, by_hand) == "edited by hand"
    attrs["Config"]["Labels"]["ollama-stack.spec"] = "another"
    declared = ObservedContainer.from_inspect(attrs)
    assert origin(WANTED, declared) == "declaration"


def test_the_hash_is_a_difference_only_where_there_is_no_other() -> None:
    attrs = inspect(WANTED)
    attrs["Config"]["Labels"]["ollama-stack.spec"] = "another"
    assert found(attrs) == [f"label ollama-stack.spec another → {WANTED.digest}"]
    attrs["HostConfig"]["Memory"] = 1024
    assert found(attrs) == ["memory 1024 bytes → unlimited"]


def test_the_hash_ignores_the_name_of_the_image_and_nothing_else() -> None:
    assert replace(WANTED, image="mirror:5000/ollama/ollama:0.24.0").digest == WANTED.digest
    assert replace(WANTED, port=1).digest != WANTED.digest


@pytest.mark.parametrize(
    "binding",
    [{"HostPort": "9" * 20}, {"HostPort": "1-" + "9" * 20}, {"HostIp": "1->2", "HostPort": "1"}],
)
def test_attack_17_a_port_that_is_none_is_met_at_once(binding: dict[str, str]) -> None:
    """And not while a plan is made of it, where it would stop the whole host."""
    attrs = inspect(WANTED)
    attrs["HostConfig"]["PortBindings"] = {"11434/tcp": [binding]}
    with pytest.raises(BadAnswer):
        ObservedContainer.from_inspect(attrs)
