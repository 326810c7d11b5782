"""What all checks of the doctor look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from console.looking.host import read_lock, shell_for
from tasks.containers.look import look
from tasks.containers.observed import Snapshot
from tasks.declared.stack import Service, Stack
from tasks.docker_engine.facts import engine_script
from tasks.docker_engine.observed import ObservedEngine
from tasks.host.facts import host_script
from tasks.host.observed import ObservedHost
from tasks.nvidia.look import look_at_nvidia
from tasks.nvidia.observed import Nvidia
from tasks.records.lockfile import LockError, LockFile
from tasks.records.proven import ServiceLock
from tasks.registry.manifests import Asker
from tasks.shell.local import LocalShell, Shell
from tasks.words.steps import LOCAL


@dataclass
class Looked:
    """This machine as the checks see it: each look is made once, when it is first asked for.

    The looks are those of the converge; only the way to the shell differs.
    """

    stack: Stack
    plain: Shell = field(default_factory=LocalShell)

    @cached_property
    def shell(self) -> LocalShell:
        """The shell by which Docker is asked."""
        return shell_for(self.stack.docker_socket)

    @cached_property
    def root(self) -> Shell:
        """The most able shell: with sudo, where that asks for nothing."""
        return LocalShell(sudo=True) if self.host.can_sudo else self.plain

    @cached_property
    def host(self) -> ObservedHost:
        """User, distribution, packages, ports; sudo is one of the things looked at."""
        script = host_script(self.stack.docker_socket)
        return ObservedHost.from_lines(self._lines(self.plain, script))

    @cached_property
    def engine(self) -> ObservedEngine:
        """The engine's settings; a stopped engine is not asked, since that would start it."""
        script = engine_script(self.stack.docker_socket, is_up=self.host.answers)
        return ObservedEngine.from_lines(self._lines(self.root, script))

    @cached_property
    def snapshot(self) -> Snapshot:
        """Containers, images, volumes and servers; nothing where the engine does not answer."""
        return look(self.shell, self.stack)

    @cached_property
    def nvidia(self) -> Nvidia:
        """The cards."""
        return look_at_nvidia(self.plain)

    @cached_property
    def asker(self) -> Asker:
        """Who asks the registries."""
        return Asker(self.stack, self.shell)

    @cached_property
    def lock_and_fault(self) -> tuple[LockFile | None, LockError | None]:
        """The lock, or None and why it cannot be read."""
        return read_lock(self.stack)

    @property
    def lock(self) -> LockFile | None:
        """The lock; None where it cannot be read."""
        return self.lock_and_fault[0]

    def proven(self, service: Service) -> ServiceLock:
        """Return what the lock holds of a service."""
        return self.lock.service(LOCAL, service.name) if self.lock is not None else ServiceLock()

    @staticmethod
    def _lines(shell: Shell, script: str) -> list[str]:
        return shell.sh(script, timeout=60).stdout.split("\n")
