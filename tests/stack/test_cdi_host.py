"""The GPU as a CDI device, on a 29-era engine of a fresh host over ssh (gpu_attach = "cdi").

INVENTED are nvidia-smi, the description of the card, and the nvidia-ctk that writes it: the real
one describes nothing without NVIDIA's libraries. Docker, its daemon.json, and what it makes of a
description are real; the description brings a variable, so that a container shows that it got it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from lab import source
from lab.state import LabState
from tests.stack.conftest import Maker
from tests.stack.gpu_host import DAEMON_JSON, HOOK, NVIDIA_SMI, GpuHost
from tests.stack.installation import OWN_SOCKET, Installation, Output
from tests.stack.one_host import run

TOOLS = "/usr/local/bin"
DROP_IN = "/etc/systemd/system/docker.service.d/second.conf"
DATA = "/var/lib/docker/second"
# Its data apart from those of the host's own, older engine. $DOCKER_OPTS is left out.
UNIT = f"""[Service]
ExecStart=
ExecStart=/usr/local/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock \\
  --data-root={DATA} --userland-proxy-path={TOOLS}/docker-proxy
"""
# What Debian's runc and a disk on overlay need; and CDI as it was before 28.2.
FEATURES = {"time-namespaces": False, "containerd-snapshotter": False}
SETTINGS = {"features": {**FEATURES, "cdi": False}, "shutdown-timeout": 15}
# This engine sets up IPv6 in each container's network, or fails; the host is a container itself.
WRITABLE = "mount --bind /proc/sys/net /proc/sys/net; mount -o remount,rw,bind /proc/sys/net"
SPEC = """cdiVersion: 0.5.0
kind: nvidia.com/gpu
devices:
  - name: all
    containerEdits:
      env: [INVENTED_CARD=given]
"""
NVIDIA_CTK = f"""#!/bin/sh
[ "$1" = --version ] && echo "NVIDIA Container Toolkit CLI version 1.20.1" && exit
file=${{*##*--output=}}
cat >"$file" <<END
{SPEC}END
"""


@dataclass(frozen=True)
class Cdi:
    """The host, and the declaration that is converged on it: one service of it."""

    host: GpuHost
    installation: Installation

    def converge(self, *words: str, **settings: object) -> Output:
        """Converge over ssh, with settings changed."""
        self.installation.write(**settings)
        return run(self.installation, self.host.host, *words, "-y", "--data", "only=qwen")

    def requests(self) -> list[dict[str, Any]]:
        """Return the devices that the container asks for."""
        name = self.installation.name("qwen")
        found: list[dict[str, Any]] = json.loads(
            self.host.sh(f"docker inspect -f '{{{{json .HostConfig.DeviceRequests}}}}' {name}")
        )
        return found

    def environment(self) -> list[str]:
        """Return the environment of the container's first process, as the kernel shows it."""
        name = self.installation.name("qwen")
        pid = self.host.sh(f"docker inspect -f '{{{{.State.Pid}}}}' {name}")
        return self.host.sh(f"tr '\\0' '\\n' </proc/{pid}/environ").splitlines()


@pytest.fixture(scope="module")
def cdi(gpu_host: GpuHost, make: Maker, lab: LabState) -> Iterator[Cdi]:
    """The host with the newer engine, its CDI off; afterwards with its own engine again."""
    gpu_host.sh(WRITABLE)
    gpu_host.write("/usr/local/sbin/dockerd", source.dockerd().read_bytes(), 0o755)
    gpu_host.write(f"{TOOLS}/docker-proxy", source.docker_proxy().read_bytes(), 0o755)
    gpu_host.write(f"{TOOLS}/nvidia-smi", NVIDIA_SMI.encode(), 0o755)
    gpu_host.write(f"{TOOLS}/nvidia-ctk", NVIDIA_CTK.encode(), 0o755)
    gpu_host.write(DROP_IN, UNIT.encode())
    gpu_host.write(DAEMON_JSON, json.dumps(SETTINGS).encode())
    gpu_host.restart_engine()
    installation = make(
        docker_socket=OWN_SOCKET,
        settings={
            "gpu": "auto",
            "gpu_attach": "cdi",
            "docker_group": False,
            "image_mirror": f"{lab.addresses.gateway}:{lab.ports.images}",
            "image_mirror_insecure": True,
        },
    )
    yield Cdi(gpu_host, installation)
    gpu_host.sh("docker ps -aq | xargs -r docker rm -f")
    gpu_host.sh("systemctl stop docker.socket docker.service")
    gpu_host.sh(f"rm -rf {DATA} {DROP_IN} /usr/local/sbin/dockerd {TOOLS}/docker-proxy")
    gpu_host.sh(f"rm -rf /etc/cdi /etc/docker/daemon.json* {TOOLS}/nvidia-*")
    gpu_host.sh("umount /proc/sys/net")
    gpu_host.restart_engine()


def test_the_card_is_described_cdi_switched_on_and_the_device_given(cdi: Cdi) -> None:
    output = cdi.converge()
    assert output.status == 0, output.text
    assert [step for step in output.planned if "CDI" in step] == [
        'Describe the GPU to Docker (CDI) (gpu_attach = "cdi")',
        'Switch CDI on in daemon.json (gpu_attach = "cdi")',
        "Restart Docker Engine (CDI is switched on at its start only)",
    ]
    (request,) = cdi.requests()
    assert (request["Driver"], request["DeviceIDs"]) == ("cdi", ["nvidia.com/gpu=all"])
    assert "INVENTED_CARD=given" in cdi.environment()
    settings = json.loads(cdi.host.read(DAEMON_JSON))
    assert settings["features"] == {**FEATURES, "cdi": True}
    assert settings["shutdown-timeout"] == 15
    again = cdi.converge()
    assert set(again.operations.values()) == {"No changes"}, again.text


def test_where_only_cdi_is_there_auto_takes_it(cdi: Cdi) -> None:
    output = cdi.converge(gpu_attach="auto")
    assert set(output.operations.values()) == {"No changes"}, output.text


def test_a_description_that_is_gone_is_made_again_without_a_restart(cdi: Cdi) -> None:
    cdi.host.sh("rm /etc/cdi/nvidia.yaml")
    began = cdi.host.engine_start()
    output = cdi.converge(gpu_attach="cdi")
    assert output.status == 0, output.text
    assert output.planned == ['Describe the GPU to Docker (CDI) (gpu_attach = "cdi")']
    assert cdi.host.engine_start() == began


def test_a_switch_to_the_hook_replaces_the_container(cdi: Cdi) -> None:
    cdi.host.write(f"{TOOLS}/nvidia-container-runtime-hook", HOOK.encode(), 0o755)
    cdi.host.restart_engine()
    output = cdi.converge(gpu_attach="gpus")
    assert output.status == 0, output.text
    assert any("devices cdi nvidia.com/gpu=all → all gpus" in step for step in output.planned)
    (request,) = cdi.requests()
    assert (request["Count"], request["Capabilities"]) == (-1, [["gpu"]])
    again = cdi.converge()
    assert set(again.operations.values()) == {"No changes"}, again.text
