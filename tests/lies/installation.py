"""One installation on the fake host: a declaration of its own, and the real pyinfra."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import tomlkit

from tests.fake.host import MODELS, FakeHost
from tests.lies.pyinfra_here import LOCKS, USAGE
from tests.stack.installation import WITHOUT_TERMINAL, Output

SERVICES = tuple(name.removeprefix("tiny-") for name in MODELS)
ROLE = "test"
# Seconds within which every run ends, whatever it is answered. An ordinary one takes two.
RUN_LIMIT = 150


def free_ports(count: int) -> list[int]:
    """Return ports on which nobody listens."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Installation:
    """A stack on the fake host; its limits are short, since lies make it wait for them."""

    def __init__(self, folder: Path, host: FakeHost, **settings: Any) -> None:
        self.folder, self.host = folder, host
        self.prefix = f"oslie{os.getpid()}-{secrets.token_hex(3)}-"
        ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
        self.declared: dict[str, Any] = {
            "gpu": "off",
            "container_prefix": self.prefix,
            "database": str(folder / "models.db"),
            "lock": str(folder / "stack.lock"),
            "log_file": str(folder / "stack.log"),
            "docker_socket": host.socket,
            "image_mirror": host.registry_name,
            "model_registry": host.registry_name,
            "model_registry_insecure": True,
            "disk_reserve_gb": 0,
            "start_timeout": 3,
            "generate_timeout": 5,
            "pull_stall": 2,
            "pull_retries": 1,
            "clients": [],
            "roles": {ROLE: {}},
            "models": {
                name: {"model": f"tiny-{name}:v1", "agent": "", "role": ROLE, "context": 2048,
                       "port": ports[name]}
                for name in SERVICES
            },
            **settings,
        }  # fmt: skip
        for own in ("home", "locks"):
            (folder / own).mkdir(exist_ok=True, mode=0o700)
        self.write()

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment of a run."""
        own = {
            "STACK_FILE": str(self.folder / "stack.toml"),
            "HOME": str(self.folder / "home"),
            LOCKS: str(self.folder / "locks"),
            USAGE: str(self.folder / "usage"),
            "NO_COLOR": "1",
        }
        return {**os.environ, **own}

    @property
    def memory(self) -> int:
        """The largest memory that the last run took, in bytes."""
        return int((self.folder / "usage").read_text()) * 1024

    def write(self, **changes: Any) -> None:
        """Write the declaration, changed at the top."""
        self.declared |= changes
        (self.folder / "stack.toml").write_text(tomlkit.dumps(self.declared))

    def name(self, service: str) -> str:
        """Name the container, and the volume, of a service."""
        return self.prefix + service

    def url(self, service: str) -> str:
        """Return where a service answers."""
        return f"http://127.0.0.1:{self.declared['models'][service]['port']}"

    def converge(self, *data: str) -> Output:
        """Converge; `data` are KEY=VALUE."""
        return self.pyinfra("-y", "@local", "deploys/stack.py", *_options(data))

    def pyinfra(self, *words: str) -> Output:
        """Run pyinfra from the root; it ends within its limit, or the test fails."""
        result = subprocess.run(
            [sys.executable, "-m", "tests.lies.pyinfra_here", *words],
            env=self.environment,
            **{**WITHOUT_TERMINAL, "errors": "replace"},
            timeout=RUN_LIMIT,
            check=False,
        )
        return Output(result.returncode, result.stdout)


def _options(data: tuple[str, ...]) -> list[str]:
    return [word for pair in data for word in ("--data", pair)]
