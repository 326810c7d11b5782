"""A fresh host with Docker, without a GPU: its shell, its files, and our own functions on it.

What pretends to be a GPU there is INVENTED: the hook of the toolkit is a program that does nothing,
and nvidia-smi prints what the reference card might. nvidia-ctk and everything else are real.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pyinfra.api import Config, Inventory, State
from pyinfra.api import Host as Connection
from pyinfra.api.connect import connect_all

from lab.state import Host
from tasks.declared.layers import RUN_OPTIONS_SOURCE, Layer, defaults_layer, merge
from tasks.declared.stack import declare
from tasks.run.pyinfra.host_shell import PyinfraScreen, PyinfraShell
from tasks.run.run import Run

NAME = "gp1"
DAEMON_JSON = "/etc/docker/daemon.json"
INSTALL = """
# The host's own timer may be at it.
for try in $(seq 60); do apt-get update -qq && break; sleep 1; done
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
  docker.io iptables curl >/dev/null
tar -C /srv -c pause | docker import -c 'ENTRYPOINT ["/pause"]' - invented/pause
"""
# Both pieces are static: the images they run in hold no library, and no shell.
PAUSE = "#include <unistd.h>\nint main(void) { for (;;) pause(); }\n"
# What nvidia-smi says in a container that lost its card: words of the toolkit's troubleshooting.
LOST = """#include <stdio.h>
int main(void) { puts("Failed to initialize NVML: Unknown Error"); return 255; }
"""
CARD = "0, NVIDIA GeForce RTX 2070 SUPER, GPU-invented, 8192, 412, 580.95.05, 7.5"
NVIDIA_SMI = f"""#!/bin/sh
case "$*" in
  *--query-gpu=memory.used*) echo 412;;
  *--query-gpu*) echo '{CARD}';;
  *-q*) echo '<cuda_version>13.0</cuda_version>';;
esac
"""
HOOK = "#!/bin/sh\nexit 0\n"


@dataclass(frozen=True)
class GpuHost:
    """The host. `folder` is this machine's, for what the way there needs."""

    host: Host
    folder: Path

    def sh(self, script: str, *, stdin: bytes = b"") -> str:
        """Run a script on the host as root, past ssh; it must end well."""
        command = ["docker", "exec", "-i", self.host.container, "sh", "-ec", script]
        result = subprocess.run(command, input=stdin, capture_output=True, check=False)
        assert result.returncode == 0, (script, result.stderr)
        return result.stdout.decode().strip()

    def write(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Write a file on the host, with its folders."""
        folder = path.rpartition("/")[0]
        self.sh(f"mkdir -p {folder}; cat >{path}; chmod {mode:o} {path}", stdin=content)

    def read(self, path: str) -> bytes:
        """Read a file on the host."""
        command = ["docker", "exec", self.host.container, "cat", path]
        return subprocess.run(command, capture_output=True, check=True).stdout

    def compiled(self, name: str, source: str) -> Path:
        """Compile a static program on this machine."""
        target = self.folder / name
        if not target.exists():
            command = ["gcc", "-static", "-s", "-Os", "-x", "c", "-", "-o", str(target)]
            subprocess.run(command, input=source, text=True, check=True)
        return target

    @cached_property
    def connection(self) -> Connection:
        """The host as pyinfra reaches it: over ssh, as its ordinary user."""
        known = self.folder / "known_hosts"
        known.touch()
        data = {
            "ssh_user": self.host.user, "ssh_port": self.host.port, "ssh_key": self.host.key,
            "ssh_strict_host_key_checking": "off", "ssh_known_hosts_file": str(known),
        }  # fmt: skip
        inventory = Inventory(([self.host.address], data))
        connect_all(State(inventory, Config()))
        found = inventory.get_host(self.host.address)
        assert found is not None
        return found

    def run(self, settings: Mapping[str, Any] | None = None) -> Run:
        """Return a run on the host that knows nothing yet, and adds nobody to a group."""
        layers = [
            defaults_layer(),
            Layer(RUN_OPTIONS_SOURCE, {"docker_group": False, **(settings or {})}),
        ]
        shell = PyinfraShell(self.connection, sudo=True)
        return Run.on(shell, PyinfraScreen(self.connection), declare(merge(layers)))

    def install(self) -> None:
        """Install Docker, and the image of a container that only waits."""
        self.write("/srv/pause", self.compiled("pause", PAUSE).read_bytes(), 0o755)
        self.sh(INSTALL)

    def engine_start(self) -> str:
        """Tell one start of the engine from another."""
        return self.sh("systemctl show -p MainPID -p ExecMainStartTimestampMonotonic docker")

    def restart_engine(self) -> None:
        """Restart the engine by hand, with its units read anew."""
        self.sh("systemctl daemon-reload; systemctl reset-failed docker; systemctl restart docker")
