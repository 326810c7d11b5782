"""The engine's plan, from hosts in every state."""

import pytest

from tasks.declared.layers import Layer, defaults_layer, merge
from tasks.declared.stack import Stack, declare
from tasks.docker_engine.observed import ObservedEngine
from tasks.docker_engine.plan import (
    EngineState,
    engine_state,
    source_of,
    wants_engine_facts,
)
from tasks.docker_engine.settings import package_version, restart_refusal
from tasks.host.observed import Distribution, ObservedHost, Unit

DEBIAN = Distribution("debian", "12", "bookworm", "Debian GNU/Linux 12 (bookworm)")
BARE = ObservedHost(
    uid=0, user="root", socket="/var/run/docker.sock", apt="/usr/bin/apt-get",
    distribution=DEBIAN, has_systemd=True,
)  # fmt: skip
PROXY = "http://ada:geheim@proxy.lan:3128"
MIRROR = {"image_mirror": "mirror.lan:5000", "image_mirror_insecure": True}


def stack(**values: object) -> Stack:
    given = {key: values.pop(key) for key in ("allow_docker_restart",) if key in values}
    return declare(merge([defaults_layer(), Layer("test", values), Layer("--data", given)]))


def with_(host: ObservedHost, **values: object) -> ObservedHost:
    return ObservedHost(**{**host.__dict__, **values})


HERE = with_(
    BARE, curl="/usr/bin/curl", dockerd="/usr/sbin/dockerd", docker="/usr/bin/docker",
    packages=(("docker.io", "20.10.24+dfsg1-1"),), unit=Unit("loaded", "active", "running"),
    has_socket=True,
)  # fmt: skip
READY = with_(HERE, answers_user=True, daemons=(21682,))
STOPPED = with_(HERE, unit=Unit("loaded", "inactive", "dead"), has_socket=False)
NO_SYSTEMD = with_(HERE, has_systemd=False, unit=Unit(), has_socket=False)


def actions(state: EngineState) -> list[str]:
    return [f"{step.action}: {step.subject}" for step in state.steps]


def test_ready_is_silent() -> None:
    assert engine_state(READY, stack()) == EngineState("ready")


CE = with_(READY, packages=(("docker-ce", "5:29.0.0-1~ubuntu.24.04~noble"),))


@pytest.mark.parametrize(
    ("host", "source", "words"),
    [
        (READY, "docker", 'docker_source = "docker" asks for docker-ce, and docker.io is here'),
        (CE, "distro", 'docker_source = "distro" asks for docker.io, and docker-ce is here'),
        (with_(READY, packages=(), has_snap_docker=True), "docker", "the snap of Docker is here"),
        (with_(READY, packages=()), "docker", "/usr/sbin/dockerd is here already"),
    ],
)
def test_fault_24_an_engine_from_elsewhere_is_used_and_explained(
    host: ObservedHost, source: str, words: str
) -> None:
    state = engine_state(host, stack(docker_source=source))
    assert state.kind == "ready" and not state.steps
    assert words in state.notes[0] and "used as it is" in state.notes[0]


@pytest.mark.parametrize(("host", "source"), [(READY, "auto"), (READY, "distro"), (CE, "docker")])
def test_an_engine_from_where_it_was_asked_for_is_no_news(host: ObservedHost, source: str) -> None:
    assert not engine_state(host, stack(docker_source=source)).notes


def test_curl_is_part_of_the_engine() -> None:
    state = engine_state(with_(READY, curl=""), stack())
    assert state.kind == "ready" and actions(state) == ["install packages: curl"]


@pytest.mark.parametrize("has_systemd", [True, False])
def test_a_bare_host(has_systemd: bool) -> None:
    state = engine_state(with_(BARE, has_systemd=has_systemd), stack())
    assert state.kind == "install"
    assert [str(step) for step in state.steps] == [
        "Install Docker Engine: docker-ce of Docker's apt repository, or else docker.io of "
        "Debian GNU/Linux 12 (bookworm) (there is no Docker on this host)",
        "Start Docker Engine, after Docker Engine is installed",
    ]


def test_the_socket_of_a_docker_that_was_removed_stands_in_nobodys_way() -> None:
    left = with_(BARE, has_socket=True, curl="/usr/bin/curl")
    assert engine_state(with_(left, is_refused=True), stack()).kind == "install"
    assert engine_state(left, stack()).kind == "unreachable"


def test_sources() -> None:
    mint = Distribution("linuxmint", "22", "noble", "Linux Mint 22")
    assert source_of(BARE, stack()) == "auto"
    assert source_of(BARE, stack(docker_source="distro")) == "distro"
    assert source_of(with_(BARE, distribution=mint), stack()) == "distro"
    foreign = with_(BARE, packages=(("containerd", "1.6.20"),))
    assert source_of(foreign, stack()) == "distro"
    state = engine_state(with_(BARE, distribution=mint), stack(docker_source="docker"))
    assert state.kind == "unreachable" and "Linux Mint 22" in state.failures[0].cause


@pytest.mark.parametrize("host", [STOPPED, NO_SYSTEMD, with_(NO_SYSTEMD, has_socket=True,
                                                            is_refused=True)])  # fmt: skip
def test_installed_and_stopped_is_started(host: ObservedHost) -> None:
    state = engine_state(host, stack())
    assert state.kind == "start" and actions(state) == ["start engine: Docker Engine"]


@pytest.mark.parametrize(
    ("host", "words"),
    [
        (with_(HERE, unit=Unit("loaded", "failed", "failed")), "docker.service is failed"),
        (with_(HERE, unit=Unit("masked", "inactive", "dead")), "docker.service is masked"),
        (HERE, "does not answer on /var/run/docker.sock"),
        (with_(HERE, daemons=(7,)), "dockerd runs (PID 7)"),
        (with_(NO_SYSTEMD, has_socket=True), "does not answer on /var/run/docker.sock"),
        (with_(NO_SYSTEMD, daemons=(7,)), "dockerd runs (PID 7)"),
        (with_(BARE, daemons=(7,)), "dockerd runs (PID 7)"),
        (with_(BARE, has_snap_docker=True), "as a snap"),
        (with_(BARE, packages=(("podman-docker", "4"),), docker="/usr/bin/docker"), "podman"),
    ],
)
def test_fault_21_unreachable_plans_nothing(host: ObservedHost, words: str) -> None:
    state = engine_state(host, stack())
    assert state.kind == "unreachable" and not state.steps
    assert state.failures[0].what == "daemon unreachable"
    assert words in state.failures[0].cause and state.failures[0].remedy


def test_another_socket_is_never_installed() -> None:
    state = engine_state(with_(BARE, socket="/run/other.sock", curl="/usr/bin/curl"), stack())
    assert state.kind == "unreachable" and "docker_socket" in state.failures[0].cause
    state = engine_state(with_(BARE, socket="/run/other.sock"), stack())
    assert state.kind == "unreachable" and "no curl" in state.failures[0].cause


def test_without_root_nothing_is_planned() -> None:
    user = with_(BARE, uid=1000, user="ada", sudo="")
    state = engine_state(user, stack())
    assert state.kind == "unreachable" and not state.steps
    assert "no sudo" in state.failures[0].cause
    member = with_(READY, uid=1000, user="ada", sudo="", curl="")
    assert engine_state(member, stack()).kind == "ready"
    assert engine_state(member, stack()).failures
    assert not engine_state(with_(member, curl="/usr/bin/curl"), stack()).failures


def test_no_apt() -> None:
    fedora = with_(BARE, apt="", distribution=Distribution("fedora", "42", "", "Fedora 42"))
    assert "Fedora 42 has no apt-get" in engine_state(fedora, stack()).failures[0].cause


def test_an_insecure_mirror_comes_before_the_first_start() -> None:
    declared = stack(**MIRROR)
    assert wants_engine_facts(BARE, declared) and not wants_engine_facts(BARE, stack())
    for host in (BARE, STOPPED):
        state = engine_state(host, declared, ObservedEngine())
        assert actions(state)[0] == "configure engine: insecure-registries"
    state = engine_state(READY, declared, ObservedEngine(version="20.10.24"))
    assert actions(state) == ["configure engine: insecure-registries"]


def test_an_insecure_mirror_that_is_there_is_left() -> None:
    text = '{"insecure-registries": ["mirror.lan:5000"]}'
    known = ObservedEngine(daemon_json=text, insecure_registries=("mirror.lan:5000",))
    assert not engine_state(READY, stack(**MIRROR), known).steps
    asleep = ObservedEngine(daemon_json=text)
    assert engine_state(READY, stack(**MIRROR), asleep).steps


def test_a_broken_daemon_json_is_refused() -> None:
    broken = ObservedEngine(daemon_json='{"runtimes": null}')
    state = engine_state(READY, stack(**MIRROR), broken)
    assert not state.steps and "null" in state.failures[0].cause
    unreadable = ObservedEngine(daemon_json_error="it is not UTF-8 text")
    assert engine_state(READY, stack(**MIRROR), unreadable).failures


def test_proxies_need_a_restart_and_an_engine_that_knows_them() -> None:
    declared = stack(https_proxy=PROXY)
    new = ObservedEngine(version="29.0.0")
    assert actions(engine_state(READY, declared, new)) == [
        "configure engine: proxies",
        "restart engine: Docker Engine",
    ]
    old = engine_state(READY, declared, ObservedEngine(version="20.10.24"))
    assert not old.steps and "Not done" in old.notes[0]
    assert actions(engine_state(BARE, declared, ObservedEngine())) == [
        "install packages: Docker Engine",
        "start engine: Docker Engine",
        "configure engine: proxies",
        "restart engine: Docker Engine",
    ]
    for state in (old, engine_state(READY, declared, new)):
        assert "geheim" not in f"{state}"


def test_fault_29_proxies_that_were_written_and_never_read_are_read() -> None:
    declared = stack(https_proxy=PROXY)
    text = f'{{"proxies": {{"https-proxy": "{PROXY}"}}}}'
    cut_off = ObservedEngine(version="29.0.0", daemon_json=text)
    assert actions(engine_state(READY, declared, cut_off))[-1] == "restart engine: Docker Engine"
    masked = "http://xxxxx:xxxxx@proxy.lan:3128"
    read = ObservedEngine(version="29.0.0", daemon_json=text, https_proxy=masked)
    assert not engine_state(READY, declared, read).steps


def test_fault_9_a_restart_of_others_waits_for_consent() -> None:
    engine = ObservedEngine(version="29.0", running=(("theirs", ""), ("ollama-qwen", "ollama-")))
    state = engine_state(READY, stack(https_proxy=PROXY), engine)
    assert state.kind == "ready" and not state.steps
    assert state.failures[0].cause.endswith("of others: theirs")
    allowed = stack(https_proxy=PROXY, allow_docker_restart=True)
    assert engine_state(READY, allowed, engine).steps
    kept = ObservedEngine(running=engine.running, keeps_containers=True)
    assert restart_refusal(stack(), kept, "x") is None


def test_live_restore_needs_a_reload_only_and_is_quiet_the_second_time() -> None:
    declared = stack(live_restore=True)
    assert wants_engine_facts(READY, declared)
    live = "configure engine: live-restore"
    assert actions(engine_state(READY, declared, ObservedEngine())) == [live]
    asleep = ObservedEngine(daemon_json='{"live-restore": true}')
    assert actions(engine_state(READY, declared, asleep)) == [live]
    there = ObservedEngine(daemon_json=asleep.daemon_json, keeps_containers=True)
    assert not engine_state(READY, declared, there).steps
    assert actions(engine_state(BARE, declared, ObservedEngine()))[0] == live


def test_fault_9_with_live_restore_declared_a_restart_stops_nobody() -> None:
    engine = ObservedEngine(version="29.0", running=(("theirs", ""),))
    state = engine_state(READY, stack(https_proxy=PROXY, live_restore=True), engine)
    assert [action.partition(":")[0] for action in actions(state)] == [
        "configure engine", "configure engine", "restart engine",
    ]  # fmt: skip
    assert actions(state)[0].endswith("live-restore")


def test_live_restore_is_left_out_of_a_swarm() -> None:
    engine = ObservedEngine(is_in_swarm=True)
    state = engine_state(READY, stack(live_restore=True, **MIRROR), engine)
    assert actions(state) == ["configure engine: insecure-registries"]
    assert "swarm" in state.notes[0]


def test_package_versions() -> None:
    assert package_version(HERE) == "20.10.24+dfsg1-1"
    ce = with_(HERE, packages=(("docker-ce", "5:27.3.1-1~debian.12~bookworm"),))
    assert package_version(ce).startswith("27.3.1")


SUDOER = with_(READY, uid=1000, user="ada", groups=("ada", "sudo"), sudo="/usr/bin/sudo",
               sudo_status=0, answers_user=False, answers_root=True)  # fmt: skip


def test_a_user_with_sudo_joins_the_group_docker_once() -> None:
    (step,) = engine_state(SUDOER, stack()).steps
    assert (str(step.action), step.subject) == ("join group", "ada")
    assert "can become root" in step.why
    assert not engine_state(with_(SUDOER, docker_group=("ada",)), stack()).steps
    assert not engine_state(SUDOER, stack(docker_group=False)).steps


def test_who_is_root_or_has_no_sudo_joins_nothing() -> None:
    assert not engine_state(READY, stack()).steps
    member = with_(SUDOER, sudo_status=None, answers_user=True, answers_root=False)
    assert not engine_state(member, stack()).steps


def test_on_a_bare_host_the_group_comes_after_the_engine() -> None:
    bare = with_(BARE, uid=1000, user="ada", sudo_status=0)
    assert actions(engine_state(bare, stack()))[-1] == "join group: ada"


def test_another_version_than_the_declared_one_is_told_and_left() -> None:
    state = engine_state(READY, stack(docker_version="29.0"))
    assert not state.steps and "docker_version is 29.0" in state.notes[0]


def test_fault_9_an_engine_that_does_not_tell_what_runs_is_not_restarted() -> None:
    hiding = ObservedEngine(version="29.0", hides_containers=True)
    refused = restart_refusal(stack(), hiding, "x")
    assert refused is not None and "did not tell whose containers run" in refused.cause
    assert restart_refusal(stack(allow_docker_restart=True), hiding, "x") is None
