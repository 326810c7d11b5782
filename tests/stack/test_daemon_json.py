"""daemon.json in many shapes on a real host, over ssh with sudo (fault 8; to be seen: 4).

It is merged, or refused with cause and remedy; and what NVIDIA's own nvidia-ctk 1.20.1 makes of the
same files, which is why it is not called.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from lab import source
from lab.ctk import nvidia_ctk
from lab.state import LabState
from tasks.container_toolkit.apply import configure_toolkit
from tasks.container_toolkit.state import plan_toolkit
from tasks.docker_engine.configure import (
    Edit,
    configure_live_restore,
    configure_registry,
    restart_engine,
    start_engine,
)
from tasks.docker_engine.daemon_json import NVIDIA_RUNTIME, parse, text_of, with_nvidia
from tasks.docker_engine.state import plan_engine
from tasks.words.failures import StepFailed
from tasks.words.steps import Action, Step
from tests.stack.gpu_host import DAEMON_JSON, GpuHost

STEP = Step(Action.CONFIGURE_TOOLKIT, "daemon.json", "Register the toolkit", "a test")
FOREIGN = b"""{
\t"log-driver": "local", "features": {"buildkit": true, "zz": false},\r
\t"runtimes": {"crun": {"path": "/usr/bin/crun", "runtimeArgs": ["--x"]}},
\t"labels": ["caf\xc3\xa9=<&>"], "debug": false, "shutdown-timeout": 15
}"""
DROP_IN = "/etc/systemd/system/docker.service.d/flags.conf"
FLAGS = """[Service]
ExecStart=
ExecStart=/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock {flag}
"""
REFUSES_NVIDIA = f"""[Service]
ExecStartPre=/bin/sh -c '! grep -q nvidia {DAEMON_JSON}'
"""
MIRROR = {"image_mirror": "10.255.255.1:5000", "image_mirror_insecure": True}
EMPTY_HOST = f"""
umount {DAEMON_JSON} 2>/dev/null || true
rm -rf /etc/docker/daemon.json* /etc/docker/.daemon.json* /srv/settings {DROP_IN}
rm -f /usr/local/sbin/dockerd
"""
RUN_THEIRS = """docker rm -f theirs >/dev/null 2>&1 || true
docker run -d --stop-timeout 1 --name theirs invented/pause"""
STATE_OF_THEIRS = "docker inspect -f '{{.State.Running}} {{.State.StartedAt}}' theirs"


@dataclass(frozen=True)
class Shape:
    """A daemon.json: its bytes, or how the host comes to it; `prepare` runs after the bytes."""

    name: str
    content: bytes | None = None
    prepare: str = ""
    words: str = ""


MERGED = [
    Shape("missing"),
    Shape("empty", b""),
    Shape("whitespace only", b" \n\t\n"),
    Shape("foreign features and runtimes, CRLF and tabs", FOREIGN),
    Shape("data-root elsewhere", b'{"data-root": "/srv/docker", "storage-driver": "vfs"}'),
    Shape("read-only", b'{"debug": false}', f"chmod 0444 {DAEMON_JSON}"),
    Shape(
        "of another owner, closed to others",
        b'{"debug": false}\n',
        f"chmod 0620 {DAEMON_JSON}; chown daemon:adm {DAEMON_JSON}",
    ),
    Shape(
        "a link to elsewhere",
        b'{"debug": false}',
        f"mkdir /srv/settings; mv {DAEMON_JSON} /srv/settings/it; ln -s ../../srv/settings/it"
        f" {DAEMON_JSON}",
    ),
    Shape("a number that a float cannot hold", b'{"shutdown-timeout": 12345678901234567890}'),
]
REFUSED = [
    Shape("invalid", b'{"debug": tru', words="not valid JSON: Expecting value in line 1"),
    Shape("two objects", b'{"debug": true}\n{"b": 1}', words="more than one JSON value (line 2)"),
    Shape("a list", b"[]", words="not a JSON object"),
    Shape("a byte order mark", b"\xef\xbb\xbf{}", words="byte order mark"),
    Shape("Latin-1", b'{"labels": ["caf\xe9"]}', words="not UTF-8 text"),
    Shape("runtimes null", b'{"runtimes": null}', words='"runtimes" is null'),
    Shape("runtime null", b'{"runtimes": {"nvidia": null}}', words='runtime "nvidia" is null'),
    Shape("features null", b'{"features": null}', words='"features" is null'),
    Shape("a key twice", b'{"debug": true, "debug": false}', words='the key "debug" twice'),
    Shape("a folder", prepare=f"mkdir {DAEMON_JSON}", words="a folder"),
    Shape("a link to nowhere", prepare=f"ln -s nowhere {DAEMON_JSON}", words="leads nowhere"),
    Shape(
        "a read-only mount",
        b'{"debug": false}',
        f"cp {DAEMON_JSON} /srv/it; mount --bind /srv/it {DAEMON_JSON};"
        f" mount -o remount,ro,bind {DAEMON_JSON}",
        words="resource busy; the old one is untouched",
    ),
]


@pytest.fixture(scope="module")
def host(gpu_host: GpuHost) -> Iterator[GpuHost]:
    """The host; afterwards as it was."""
    yield gpu_host
    gpu_host.sh(f"docker rm -f theirs >/dev/null 2>&1 || true; {EMPTY_HOST}")
    gpu_host.restart_engine()


@pytest.fixture
def bare(host: GpuHost) -> GpuHost:
    """The host without a daemon.json."""
    host.sh(EMPTY_HOST)
    return host


def bring(host: GpuHost, shape: Shape) -> None:
    """Bring a shape about."""
    if shape.content is not None:
        host.write(DAEMON_JSON, shape.content)
    if shape.prepare:
        host.sh(shape.prepare)


def look(host: GpuHost) -> str:
    """Return everything about the file and its neighbours but the times."""
    return host.sh("cd /etc/docker; for f in daemon.json* .daemon*; do"
                   " stat -c '%N %F %a %U %G' $f; [ ! -f $f ] || sha256sum $f; done 2>/dev/null"
                   " || true")  # fmt: skip


def backups(host: GpuHost) -> list[str]:
    """Return the backups that are there."""
    return host.sh("ls -d /etc/docker/daemon.json.* 2>/dev/null || true").split()


@pytest.mark.parametrize("shape", MERGED, ids=lambda shape: shape.name)
def test_fault_8_what_can_be_merged_keeps_every_other_key(bare: GpuHost, shape: Shape) -> None:
    bring(bare, shape)
    kind = f"stat -c '%F' {DAEMON_JSON}; stat -L -c '%a %U %G' {DAEMON_JSON}"
    before = bare.sh(kind) if shape.content is not None else "regular file\n644 root root"
    edit = Edit()
    configure_toolkit(bare.run(), STEP, edit)
    text = bare.read(DAEMON_JSON).decode()
    after, old = json.loads(text), json.loads((shape.content or b"").strip() or b"{}")
    assert after["runtimes"].pop("nvidia") == NVIDIA_RUNTIME
    assert after == {"runtimes": {}, **old}
    assert [key for key in after if key in old] == list(old)
    assert bare.sh(kind) == before.replace("regular empty file", "regular file")
    assert backups(bare) == ([edit.backup] if shape.content is not None else [])
    if shape.content is not None:
        assert bare.read(edit.backup) == shape.content
    seen = look(bare)
    configure_toolkit(bare.run(), STEP, again := Edit())
    assert not again.is_made and look(bare) == seen


@pytest.mark.parametrize("shape", REFUSED, ids=lambda shape: shape.name)
def test_fault_8_what_cannot_be_merged_is_refused_and_left(bare: GpuHost, shape: Shape) -> None:
    bring(bare, shape)
    before = look(bare)
    with pytest.raises(StepFailed) as caught:
        configure_toolkit(bare.run(), STEP, Edit())
    assert shape.words in caught.value.cause and DAEMON_JSON in caught.value.cause
    assert f"sudoedit {DAEMON_JSON}" in caught.value.remedy or "findmnt" in caught.value.remedy
    assert look(bare) == before


def test_a_runtime_of_that_name_is_left_as_somebody_set_it_up(bare: GpuHost) -> None:
    bare.write(DAEMON_JSON, b'{"runtimes":{"nvidia":{"path":"/opt/own"}}}')
    before = look(bare)
    configure_toolkit(bare.run(), STEP, edit := Edit())
    assert look(bare) == before and not edit.is_made


def test_two_changes_of_one_run_keep_two_backups(bare: GpuHost) -> None:
    bare.write(DAEMON_JSON, b"{ }")
    configure_registry(bare.run(MIRROR), STEP, Edit())
    configure_toolkit(bare.run(MIRROR), STEP, Edit())
    assert bare.read(min(backups(bare))) == b"{ }"
    assert len(backups(bare)) == 2


def test_fault_8_what_this_dockerd_does_not_know_is_never_written(
    bare: GpuHost, lab: LabState
) -> None:
    """The 29-era engine has --validate; it is only asked here, and never started."""
    bare.write("/usr/local/sbin/dockerd", source.dockerd().read_bytes(), 0o755)
    bare.write(DAEMON_JSON, b'{"invented-key": 1}')
    before = look(bare)
    with pytest.raises(StepFailed, match=r"invented-key.*the old one is untouched"):
        configure_toolkit(bare.run(), STEP, Edit())
    assert look(bare) == before


def test_fault_8_dockerd_does_not_start_with_the_new_file_and_the_old_one_comes_back(
    bare: GpuHost,
) -> None:
    """Its unit names a registry by a flag, and then dockerd takes none from the file."""
    bare.write(DAEMON_JSON, b'{"debug":false}', 0o600)
    bare.write(DROP_IN, FLAGS.format(flag="--insecure-registry=10.255.255.2:5000").encode())
    bare.sh("systemctl daemon-reload; systemctl stop docker.socket docker.service")
    before = look(bare)
    run = bare.run(MIRROR)
    assert [step.action for step in plan_engine(run).steps] == [
        Action.CONFIGURE_ENGINE,
        Action.START_ENGINE,
    ]
    configure_registry(run, STEP, edit := Edit())
    with pytest.raises(StepFailed) as caught:
        start_engine(run, STEP, edit)
    assert "specified both as a flag and in the configuration file" in caught.value.cause
    assert "the old one is back and the engine runs" in caught.value.cause
    bare.sh(f"docker version >/dev/null; rm {edit.backup}")
    assert look(bare) == before


def test_fault_8_a_restart_with_the_new_file_fails_and_the_old_one_comes_back(
    bare: GpuHost,
) -> None:
    """The unit of this host refuses what was just written; why does not matter."""
    bare.write(DAEMON_JSON, b'{"debug":false}', 0o600)
    bare.write(DROP_IN, REFUSES_NVIDIA.encode())
    bare.restart_engine()
    before = look(bare)
    run = bare.run()
    configure_toolkit(run, STEP, edit := Edit())
    with pytest.raises(StepFailed, match="the old one is back and the engine runs"):
        restart_engine(run, STEP, edit)
    bare.sh(f"docker version >/dev/null; rm {edit.backup}")
    assert look(bare) == before


def test_fault_8_a_reload_that_dockerd_refuses_is_taken_back(bare: GpuHost) -> None:
    bare.write(DAEMON_JSON, b'{"debug":false}')
    bare.write(DROP_IN, FLAGS.format(flag="--insecure-registry=10.255.255.2:5000").encode())
    bare.restart_engine()
    with pytest.raises(
        StepFailed, match=r"does not show 10\.255\.255\.1:5000.*the old file is back"
    ):
        configure_registry(bare.run(MIRROR), STEP, Edit())
    assert bare.read(DAEMON_JSON) == b'{"debug":false}'
    assert "10.255.255.2:5000" in bare.sh("docker info -f '{{json .RegistryConfig}}'")


def test_fault_9_a_restart_waits_for_consent_while_a_container_of_others_runs(
    bare: GpuHost,
) -> None:
    bare.write(DAEMON_JSON, FOREIGN.replace(b"/usr/bin/crun", b"/bin/true"))
    bare.restart_engine()
    bare.sh(RUN_THEIRS)
    began, theirs, before = bare.engine_start(), bare.sh(STATE_OF_THEIRS), look(bare)
    run = bare.run()
    run.decided = replace(run.decided, gpu_is_usable=True)
    (failure,) = plan_toolkit(run).failures
    assert "would stop containers of others: theirs" in failure.cause
    assert "--data allow_docker_restart=true" in failure.remedy
    configure_toolkit(run, STEP, edit := Edit())
    with pytest.raises(StepFailed, match="containers of others: theirs"):
        restart_engine(run, STEP, edit)
    bare.sh(f"rm {edit.backup}")
    assert (bare.engine_start(), bare.sh(STATE_OF_THEIRS), look(bare)) == (began, theirs, before)
    consent = bare.run({"allow_docker_restart": True})
    consent.decided = replace(consent.decided, gpu_is_usable=True)
    assert plan_toolkit(consent).steps
    configure_toolkit(consent, STEP, edit)
    restart_engine(consent, STEP, edit)
    assert bare.engine_start() != began
    assert bare.sh(STATE_OF_THEIRS).startswith("false")
    runtimes = json.loads(bare.sh("docker info -f '{{json .Runtimes}}'"))
    assert {"nvidia", "crun"} <= set(runtimes)


def test_fault_9_with_live_restore_a_container_of_others_goes_on(bare: GpuHost) -> None:
    bare.restart_engine()
    bare.sh(RUN_THEIRS)
    began, theirs = bare.engine_start(), bare.sh(STATE_OF_THEIRS)
    run = bare.run({"live_restore": True})
    configure_live_restore(run, STEP, Edit())
    assert bare.engine_start() == began
    run.decided = replace(run.decided, gpu_is_usable=True)
    assert not plan_toolkit(run).failures
    configure_toolkit(run, STEP, edit := Edit())
    restart_engine(run, STEP, edit)
    assert bare.engine_start() != began
    assert bare.sh(STATE_OF_THEIRS) == theirs and theirs.startswith("true")
    assert json.loads(bare.read(DAEMON_JSON))["live-restore"] is True


def by_nvidia_ctk(folder: Path, content: bytes) -> tuple[str, Any]:
    """Return what nvidia-ctk said, and what it left: settings, or bytes that are no JSON."""
    file = folder / "daemon.json"
    file.write_bytes(content)
    command = [nvidia_ctk(), "runtime", "configure", "--runtime=docker", f"--config={file}"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    try:
        return said, json.loads(file.read_bytes())
    except ValueError:
        return said, file.read_bytes()


@pytest.mark.parametrize("content", [b"{}", FOREIGN, b'{"data-root": "/srv/docker"}'])
def test_we_write_what_nvidia_ctk_writes(tmp_path: Path, content: bytes) -> None:
    ours = text_of(with_nvidia(parse(content.decode())))
    assert by_nvidia_ctk(tmp_path, content)[1] == json.loads(ours)


@pytest.mark.parametrize(
    ("content", "said", "left"),
    [
        (b"", "unable to load config", b""),
        (b'{"runtimes": null}', "panic:", {"runtimes": None}),
        (b"null", "panic:", None),
        (b'{"a": 1}\n{"b": 2}', "", {"a": 1}),
        (b'{"a": 1, "a": 2}', "", {"a": 2}),
        (b'{"a": 12345678901234567890}', "", {"a": 12345678901234567000}),
        (b'{"runtimes": {"nvidia": {"path": "/opt/own"}}}', "", {}),
    ],
)
def test_fault_8_nvidia_ctk_loses_or_panics_where_we_do_not(
    tmp_path: Path, content: bytes, said: str, left: Any
) -> None:
    words, found = by_nvidia_ctk(tmp_path, content)
    assert said in words
    if not said:
        assert found.pop("runtimes") == {"nvidia": NVIDIA_RUNTIME}
    assert found == left
