"""The toolkit's plan. `nvidia-ctk --version` as its source prints it; no host with one was seen."""

import pytest

from tasks.container_toolkit.observed import Toolkit
from tasks.container_toolkit.plan import ToolkitState, attachment_of, tells_devices, toolkit_state
from tasks.declared.layers import Layer, defaults_layer, merge
from tasks.declared.stack import Stack, declare
from tasks.docker_engine.observed import ObservedEngine
from tasks.host.observed import ObservedHost

HOST = ObservedHost(uid=0, user="root", socket="/var/run/docker.sock", apt="/usr/bin/apt-get")
HOOK = "/usr/bin/nvidia-container-runtime-hook"


def stack(**values: object) -> Stack:
    return declare(merge([defaults_layer(), Layer("test", values)]))


def plan(
    toolkit: Toolkit,
    engine: ObservedEngine | None = None,
    host: ObservedHost = HOST,
    **values: object,
) -> ToolkitState:
    return toolkit_state(
        toolkit, host, stack(**values), engine or ObservedEngine(), is_engine_planned=False
    )


def test_version_is_parsed() -> None:
    text = "##paths\nctk=/usr/bin/nvidia-ctk\nhook=/x\n##version\nNVIDIA Container Toolkit CLI version 1.17.8\ncommit: f202b80"  # noqa: E501
    assert Toolkit.from_lines(text.splitlines()) == Toolkit("/usr/bin/nvidia-ctk", "1.17.8", "/x")
    assert Toolkit.from_lines([]) == Toolkit()


def test_a_fixed_toolkit_is_silent() -> None:
    state = plan(Toolkit("/usr/bin/nvidia-ctk", "1.17.8", HOOK))
    assert not (state.steps or state.failures or state.notes)


@pytest.mark.parametrize("version", ["1.17.7", "1.9.0", "1.16.2"])
def test_fault_10_an_old_toolkit_is_named_with_its_cve(version: str) -> None:
    state = plan(Toolkit("/usr/bin/nvidia-ctk", version, HOOK))
    assert not state.steps and "CVE-2025-23266" in state.notes[0] and version in state.notes[0]


def test_fault_10_what_was_not_checked_is_said() -> None:
    assert "not checked" in plan(Toolkit(hook=HOOK)).notes[0]


def test_a_missing_toolkit_is_installed_registered_and_the_engine_restarted() -> None:
    assert [str(step.action) for step in plan(Toolkit()).steps] == [
        "install toolkit",
        "configure toolkit",
        "restart engine",
    ]


LATE = Toolkit("/usr/bin/nvidia-ctk", "1.18.0", HOOK, came_after_engine=True)
BLIND = ObservedEngine(version="29.0", runtimes=("runc",))


def test_fault_29_an_installation_that_was_cut_off_before_the_restart_is_finished() -> None:
    assert [str(step.action) for step in plan(LATE, BLIND).steps] == [
        "configure toolkit",
        "restart engine",
    ]
    busy = ObservedEngine(version="29.0", running=(("theirs", ""),))
    waiting = plan(LATE, busy)
    assert not waiting.steps and "theirs" in waiting.failures[0].cause


@pytest.mark.parametrize(
    ("toolkit", "engine", "host"),
    [
        (LATE, ObservedEngine(version="29.0", runtimes=("nvidia", "runc")), HOST),
        (LATE, ObservedEngine(), HOST),
        (LATE, BLIND, ObservedHost(uid=0, socket="/run/other.sock", apt=HOST.apt)),
        (Toolkit("/usr/bin/nvidia-ctk", "1.18.0", HOOK), BLIND, HOST),
    ],
    ids=["updated since", "not asked", "another socket", "older than the engine's start"],
)
def test_a_toolkit_that_the_engine_can_know_is_left(
    toolkit: Toolkit, engine: ObservedEngine, host: ObservedHost
) -> None:
    state = plan(toolkit, engine, host)
    assert not state.steps and not state.failures


def test_cdi_devices_need_no_toolkit() -> None:
    assert not plan(Toolkit(), ObservedEngine(cdi_devices=("nvidia.com/gpu=0",))).steps


def test_fault_9_others_containers_wait_for_consent() -> None:
    state = plan(Toolkit(), ObservedEngine(version="29.0", running=(("theirs", ""),)))
    assert not state.steps and "theirs" in state.failures[0].cause


def test_obstacles() -> None:
    user = ObservedHost(uid=1000, user="ada", socket=HOST.socket, apt=HOST.apt)
    assert "no sudo" in plan(Toolkit(), host=user).failures[0].cause
    other = ObservedHost(uid=0, socket="/run/other.sock")
    assert "/run/other.sock" in plan(Toolkit(), host=other).failures[0].cause


CTK = Toolkit("/usr/bin/nvidia-ctk", "1.20.1", HOOK)
WITH_CDI = ObservedEngine(version="29.0.1", has_cdi=True)


@pytest.mark.parametrize(
    ("attach", "toolkit", "devices", "expected"),
    [
        ("auto", CTK, ("nvidia.com/gpu=0",), "gpus"),
        ("auto", Toolkit(), ("nvidia.com/gpu=0",), "cdi"),
        ("auto", Toolkit(), (), "gpus"),
        ("cdi", CTK, (), "cdi"),
        ("gpus", Toolkit(), ("nvidia.com/gpu=0",), "gpus"),
    ],
)
def test_cdi_is_taken_where_it_is_asked_for_or_all_there_is(
    attach: str, toolkit: Toolkit, devices: tuple[str, ...], expected: str
) -> None:
    engine = ObservedEngine(version="29.0", cdi_devices=devices)
    assert attachment_of(stack(gpu_attach=attach), toolkit, engine) == expected


def test_by_cdi_the_gpu_is_described_and_nothing_is_restarted() -> None:
    state = plan(CTK, WITH_CDI, gpu_attach="cdi")
    assert [str(step.action) for step in state.steps] == ["describe GPU"]
    bare = plan(Toolkit(), WITH_CDI, gpu_attach="cdi")
    assert [str(step.action) for step in bare.steps] == ["install toolkit", "describe GPU"]


def test_what_is_described_already_stays() -> None:
    described = Toolkit("/usr/bin/nvidia-ctk", "1.20.1", HOOK, ("/etc/cdi/nvidia.yaml",))
    assert not plan(described, WITH_CDI, gpu_attach="cdi").steps


def test_an_engine_too_old_for_cdi_is_named() -> None:
    state = plan(CTK, ObservedEngine(version="24.0.7"), gpu_attach="cdi")
    assert not state.steps and "too old for it (25.0" in state.failures[0].cause
    assert 'gpu_attach = "gpus"' in state.failures[0].remedy


def test_where_cdi_is_switched_off_it_is_switched_on_with_consent_for_the_restart() -> None:
    asleep = ObservedEngine(version="26.1.0")
    state = plan(CTK, asleep, gpu_attach="cdi")
    expected = ["describe GPU", "configure toolkit", "restart engine"]
    assert [str(step.action) for step in state.steps] == expected
    busy = ObservedEngine(version="26.1.0", running=(("theirs", ""),))
    waiting = plan(CTK, busy, gpu_attach="cdi")
    assert not waiting.steps and "theirs" in waiting.failures[0].cause


def test_cdi_is_never_switched_on_for_an_engine_that_is_not_ours_to_set_up() -> None:
    other = ObservedHost(uid=0, socket="/run/other.sock", apt=HOST.apt)
    state = plan(CTK, ObservedEngine(version="29.0"), other, gpu_attach="cdi")
    assert not state.steps and "/run/other.sock has CDI off" in state.failures[0].cause
    assert not plan(CTK, WITH_CDI, other, gpu_attach="cdi").failures


@pytest.mark.parametrize(
    ("version", "expected"),
    [("28.1.1", False), ("28.2.0", True), ("29.0.0+moby", True), ("", False)],
)
def test_which_engine_tells_of_cdi_devices(version: str, expected: bool) -> None:
    assert tells_devices(ObservedEngine(version=version)) is expected


def test_gpus_installs_the_toolkit_also_where_cdi_is_there() -> None:
    engine = ObservedEngine(version="29.0", cdi_devices=("nvidia.com/gpu=0",))
    assert plan(Toolkit(), engine, gpu_attach="gpus").steps


def test_another_toolkit_than_the_declared_one_is_told_and_left() -> None:
    assert "toolkit_version is 1.17" in plan(CTK, toolkit_version="1.17").notes[0]


def test_descriptions_are_found() -> None:
    text = "##paths\nctk=/x\nunseen=yes\nrefresh=yes\n##cdi\n/etc/cdi/nvidia.yaml\n##version\n"
    found = Toolkit.from_lines(text.splitlines())
    assert found.cdi_specs == ("/etc/cdi/nvidia.yaml",)
    assert found.has_refresh and found.came_after_engine
