"""Two fake hosts as one fleet: one inventory, one database, one lock."""

from __future__ import annotations

from pathlib import Path

from tests.fake.host import FakeHost
from tests.lies.installation import Installation
from tests.stack.installation import Output

# What each host has of its own; the rest is declared for both.
OWN = ("container_prefix", "docker_socket", "image_mirror", "model_registry", "models")


class Fleet:
    """Hosts by name ("one" is "@local/one"), each with its own engine and registry."""

    def __init__(self, folder: Path, **hosts: FakeHost) -> None:
        self.stacks: dict[str, Installation] = {}
        entries = []
        for name, host in hosts.items():
            (folder / name).mkdir()
            stack = self.stacks[name] = Installation(folder / name, host)
            entries.append((f"@local/{name}", {key: stack.declared[key] for key in OWN}))
        self.inventory = folder / "inventory.py"
        self.inventory.write_text(f"machines = {entries!r}\n")
        self._first = self.stacks[next(iter(hosts))]
        for key in OWN:
            del self._first.declared[key]
        self._first.write()

    def converge(self) -> Output:
        """Converge all hosts by one run."""
        return self._first.pyinfra("-y", str(self.inventory), "deploys/stack.py")

    def names(self, host: str) -> set[str]:
        """Return the names of the containers that run on a host."""
        containers = self.stacks[host].host.containers
        return {name for name, one in containers.items() if one.status == "running"}
