"""A host that pretends to have a GPU, converged over ssh (faults 1 and 2; to be seen: 5).

The hook and nvidia-smi are stubs whose words are INVENTED (see gpu_host.py); Docker, nvidia-ctk and
Ollama, which runs on the CPU, are real. What only a GPU can show is not shown here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from lab.ctk import VERSION, nvidia_ctk
from lab.state import LabState
from tasks.container_toolkit.facts import observe_toolkit
from tasks.records.lockfile import LockFile
from tests.stack.conftest import Maker
from tests.stack.gpu_host import HOOK, LOST, NVIDIA_SMI, GpuHost
from tests.stack.installation import OWN_SOCKET, SERVICES, Installation, Output
from tests.stack.one_host import run

BROKEN = "deepseek"
FINDING = r"generated \d+ tokens on CPU, \d+ tokens/s, memory of the GPU \+0 MiB"
TOOLS = "/usr/local/bin"
API = "curl -fsS --unix-socket /run/docker.sock -H 'Content-Type: application/json' -X POST"


@dataclass(frozen=True)
class Gpu:
    """The host, and the declaration that is converged on it."""

    host: GpuHost
    installation: Installation

    def converge(self, *data: str) -> Output:
        """Converge over ssh; `data` are KEY=VALUE."""
        words = (word for pair in data for word in ("--data", pair))
        return run(self.installation, self.host.host, "-y", *words)

    def inspect(self, service: str) -> dict[str, Any]:
        """Return the container as the engine shows it."""
        name = self.installation.name(service)
        found: dict[str, Any] = json.loads(self.host.sh(f"docker inspect {name}"))[0]
        return found

    def ids(self) -> dict[str, str]:
        """Return the containers' ids, by service."""
        return {name: str(self.inspect(name)["Id"]) for name in SERVICES}

    def volume(self, service: str) -> str:
        """Tell a volume and what is in it from another one."""
        name = self.installation.name(service)
        when = "docker volume inspect -f '{{.CreatedAt}}'"
        return self.host.sh(
            f"{when} {name}; cd /var/lib/docker/volumes/{name}/_data;"
            " find . -type f -path '*/blobs/*' | sort | xargs stat -c '%n %i %Y'"
        )


@pytest.fixture(scope="module")
def gpu(gpu_host: GpuHost, make: Maker, lab: LabState) -> Iterator[Gpu]:
    """The host with its stubs, and with the real nvidia-ctk; afterwards without them."""
    gpu_host.write(f"{TOOLS}/nvidia-container-runtime-hook", HOOK.encode(), 0o755)
    gpu_host.write(f"{TOOLS}/nvidia-smi", NVIDIA_SMI.encode(), 0o755)
    gpu_host.write(f"{TOOLS}/nvidia-ctk", nvidia_ctk().read_bytes(), 0o755)
    gpu_host.restart_engine()
    installation = make(
        docker_socket=OWN_SOCKET,
        settings={
            "gpu": "auto",
            "live_restore": True,
            "docker_source": "distro",
            "image_mirror": f"{lab.addresses.gateway}:{lab.ports.images}",
            "image_mirror_insecure": True,
        },
    )
    yield Gpu(gpu_host, installation)
    gpu_host.sh(f"docker ps -aq --filter name={installation.prefix} | xargs -r docker rm -f")
    gpu_host.sh(f"rm -f {TOOLS}/nvidia-*")
    gpu_host.restart_engine()


def test_the_toolkit_is_seen_with_its_version(gpu: Gpu) -> None:
    toolkit = observe_toolkit(gpu.host.run())
    assert toolkit.is_there and toolkit.version == VERSION


def test_fault_2_required_fails_where_a_generation_runs_on_the_cpu(gpu: Gpu) -> None:
    output = gpu.converge("gpu=required", "only=qwen")
    assert output.status == 1
    assert re.search(FINDING, output.text), output.text
    assert 'tiny-qwen:v1 ran on CPU and gpu = "required" asks for all of it' in output.text
    assert "remedy: see `nvidia-smi`" in output.text
    assert gpu.inspect("qwen")["State"]["Running"]


def test_fault_2_auto_goes_on_and_says_cpu(gpu: Gpu) -> None:
    output = gpu.converge()
    assert output.status == 0, output.text
    for service in SERVICES:
        words = f"{service}: tiny-{service}:v1 ran on CPU, not wholly on the GPU"
        assert words in output.text
    assert gpu.host.sh("docker info -f '{{.LiveRestoreEnabled}}'") == "true"


@pytest.mark.parametrize("service", SERVICES)
def test_the_device_request_is_visible_in_inspect(gpu: Gpu, service: str) -> None:
    (request,) = gpu.inspect(service)["HostConfig"]["DeviceRequests"]
    assert request["Capabilities"] == [["gpu"]] and request["Count"] == -1


def replaced_alone(gpu: Gpu, words: str, before: dict[str, str], volume: str) -> None:
    """Converge, and see that one container was replaced, on its volume, and nothing else."""
    output = gpu.converge()
    assert output.status == 0, output.text
    assert all(step.startswith(f"{BROKEN}:") for step in output.planned), output.planned
    assert any(words in step for step in output.planned), output.planned
    assert not any("pull" in step for step in output.planned), output.planned
    after = gpu.ids()
    assert [name for name in SERVICES if after[name] != before[name]] == [BROKEN]
    assert gpu.volume(BROKEN) == volume
    assert gpu.inspect(BROKEN)["HostConfig"]["DeviceRequests"]
    again = gpu.converge()
    assert set(again.operations.values()) == {"No changes"}, again.text
    assert gpu.ids() == after


def test_fault_1_a_container_without_its_device_is_replaced_alone(gpu: Gpu) -> None:
    volume, old = gpu.volume(BROKEN), gpu.inspect(BROKEN)
    body = {**old["Config"], "HostConfig": {**old["HostConfig"], "DeviceRequests": None}}
    name = gpu.installation.name(BROKEN)
    gpu.host.sh(
        f"docker rm -f {name} >/dev/null; {API} --data-binary @- "
        f"'http://docker/containers/create?name={name}' >/dev/null; docker start {name}",
        stdin=json.dumps(body).encode(),
    )
    assert not gpu.inspect(BROKEN)["HostConfig"]["DeviceRequests"]
    replaced_alone(gpu, "(devices none → all gpus", gpu.ids(), volume)


def test_fault_1_a_device_that_is_lost_inside_is_found_and_the_container_replaced_alone(
    gpu: Gpu,
) -> None:
    """As after `systemctl daemon-reload`: inspect shows the device, and nothing can reach it.

    Only what was there can be lost: that the model once ran on the GPU is invented in the lock.
    """
    lock, host = LockFile.load(gpu.installation.lock), gpu.host.host.name
    entry = lock.service(host, BROKEN)
    once = {name: replace(proven, processor="GPU") for name, proven in entry.models.items()}
    lock.put(host, BROKEN, None, once)
    name, program = gpu.installation.name(BROKEN), gpu.host.compiled("lost", LOST)
    gpu.host.write("/srv/nvidia-smi", program.read_bytes(), 0o755)
    gpu.host.sh(f"docker cp /srv/nvidia-smi {name}:/bin/nvidia-smi")
    replaced_alone(gpu, "Failed to initialize NVML: Unknown Error", gpu.ids(), gpu.volume(BROKEN))
