"""What the doctor says of Docker, on invented hosts."""

from __future__ import annotations

import pytest

from console.checks.engine import (
    daemon_json_checks,
    loopback_checks,
    of_engine,
    old_releases,
    origin_checks,
)
from tasks.containers.observed import ObservedServer, Snapshot
from tasks.docker_engine.observed import ObservedEngine
from tasks.docker_engine.plan import engine_state
from tasks.host.observed import ObservedHost
from tests.unit.tasks.samples import stack

HOST = ObservedHost(
    uid=0,
    user="root",
    socket="/var/run/docker.sock",
    curl="/usr/bin/curl",
    dockerd="/usr/bin/dockerd",
    answers_user=True,
)
USER = ObservedHost(**{**HOST.__dict__, "uid": 1000, "user": "ada"})


def host(*packages: str, snap: bool = False) -> ObservedHost:
    there = tuple((name, "1") for name in packages)
    return ObservedHost(**{**HOST.__dict__, "packages": there, "has_snap_docker": snap})


@pytest.mark.parametrize(
    ("found", "parts"),
    [
        (host("docker-ce", "containerd.io"), []),
        (host("docker.io", "containerd"), []),
        (host(snap=True), ["it is the snap"]),
        (host("docker.io", snap=True), ["two of them"]),
        (host("docker-ce", "containerd"), ["distribution's containerd"]),
        (ObservedHost(**{**host("podman-docker").__dict__, "dockerd": ""}), ["podman"]),
    ],
)
def test_fault_24_another_docker_is_explained(found: ObservedHost, parts: list[str]) -> None:
    told = list(origin_checks(found))
    assert len(told) == len(parts)
    for check, part in zip(told, parts, strict=True):
        assert part in check.finding and check.is_notable and check.remedy


@pytest.mark.parametrize(
    "text", ["{", '{"runtimes": null}', '{} {"a": 1}', '{"features": []}', "[]"]
)
def test_fault_8_a_daemon_json_that_nobody_can_go_on_with_is_not_well(text: str) -> None:
    (found,) = daemon_json_checks(HOST, ObservedEngine(daemon_json=text))
    assert not found.is_well
    assert found.remedy == "sudoedit /etc/docker/daemon.json"


def test_a_good_daemon_json_and_none_say_nothing() -> None:
    for text in (None, "", '{"log-driver": "json-file"}'):
        assert list(daemon_json_checks(HOST, ObservedEngine(daemon_json=text))) == []


def test_a_daemon_json_that_only_root_reads_is_notable_for_another() -> None:
    unread = ObservedEngine(daemon_json_error="it cannot be read")
    (found,) = daemon_json_checks(USER, unread)
    assert found.is_notable
    (of_root,) = daemon_json_checks(HOST, unread)
    assert not of_root.is_well


def test_faults_9_and_18_a_proxy_that_waits_for_a_restart_is_named_with_who_would_stop() -> None:
    declared = stack(https_proxy="http://ada:geheim@proxy.lan:3128")
    foreign = ObservedEngine(version="29.0.0", running=(("theirs", ""),))
    (waits,) = of_engine(engine_state(HOST, declared, foreign))
    assert not waits.is_well and "theirs" in waits.finding
    assert "allow_docker_restart=true" in waits.remedy
    due = list(of_engine(engine_state(HOST, declared, ObservedEngine(version="29.0.0"))))
    assert due and all(not c.is_well and "not done yet" in c.finding for c in due)
    assert not any("geheim" in f"{c.finding} {c.remedy}" for c in [waits, *due])


def test_fault_10_the_release_that_runs_counts_whatever_the_tag_says() -> None:
    servers = {"qwen": ObservedServer("0.17.0")}
    told = list(old_releases(stack(image="ollama/ollama:latest"), Snapshot(servers=servers)))
    assert [c.is_notable for c in told] == [True, True]
    assert "qwen runs Ollama 0.17.0" in told[0].finding
    same = list(old_releases(stack(image="ollama/ollama:0.17.0"), Snapshot(servers=servers)))
    assert len(same) == 2, "once, by the tag"


@pytest.mark.parametrize("version", ["20.10.24+dfsg1", "26.1.5+dfsg1", "27.5.1"])
def test_attack_24_docker_before_28_lets_neighbours_reach_loopback(version: str) -> None:
    (found,) = loopback_checks(stack(), version)
    assert found.is_well and found.is_notable
    assert version in found.finding and "qwen, deepseek, mistral" in found.finding
    assert "28.0 or newer" in found.remedy
    assert "iptables -t raw -I PREROUTING -d 127.0.0.0/8 ! -i lo -j DROP" in found.remedy


def test_attack_24_a_service_that_is_public_or_inactive_is_told_elsewhere() -> None:
    public = {"bind": "0.0.0.0", "allow_public": True}
    more = {"qwen": public, "deepseek": {"active": False}, "mistral": {"bind": "::1"}}
    assert list(loopback_checks(stack(models=more), "27.5.1")) == []
    (found,) = loopback_checks(stack(models={"qwen": public}), "27.5.1")
    assert "qwen" not in found.finding and "mistral" in found.finding


@pytest.mark.parametrize("version", ["28.0.0", "28.0.0-rc.1", "29.10.1", "", "dev", "v"])
def test_attack_24_newer_engines_and_unknown_ones_say_nothing(version: str) -> None:
    assert list(loopback_checks(stack(), version)) == []
