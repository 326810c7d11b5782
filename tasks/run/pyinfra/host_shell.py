"""The way to a host through pyinfra's connector."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import gevent
from paramiko import SSHException
from pyinfra.api import Host, StringCommand

from tasks.shell.local import Result

T = TypeVar("T")


@dataclass
class Greenlet(Generic[T]):
    """Work in a greenlet."""

    greenlet: Any

    def is_done(self) -> bool:
        """Tell whether it has ended."""
        return bool(self.greenlet.ready())

    def wait(self, seconds: float | None = None) -> T | None:
        """Wait for its end. None where it has not ended by then."""
        self.greenlet.join(timeout=seconds)
        value: T | None = self.greenlet.value
        return value


@dataclass
class PyinfraShell:
    """The shell of a host of pyinfra's; see HostShell."""

    host: Host
    sudo: bool = False

    @property
    def name(self) -> str:
        """The host's name in the inventory."""
        return str(self.host.name)

    def sh(
        self,
        script: str,
        *,
        stdin: str | None = None,
        timeout: float | None = 60,
        sudo: bool | None = None,
    ) -> Result:
        """Run a script."""
        arguments: dict[str, Any] = {"_sudo": self.sudo if sudo is None else sudo}
        if stdin is not None:
            arguments["_stdin"] = stdin
        if timeout is not None:
            arguments["_timeout"] = timeout
        try:
            ok, output = self.host.run_shell_command(StringCommand(script), **arguments)
        except TimeoutError:
            return Result(False, "", f"no answer within {timeout:.0f} s")
        except (OSError, EOFError, SSHException) as error:
            return Result(False, "", f"the connection to the host failed: {error}")
        except UnicodeError:
            # pyinfra decodes strictly; what may hold any byte travels as base64.
            return Result(False, "", "the host's answer is no UTF-8 text")
        return Result(ok, output.stdout, output.stderr)

    def as_caller(self) -> CallerShell:
        """Return the shell of the user who runs this, without sudo."""
        return CallerShell(self)

    def beside(self, work: Callable[[], T]) -> Greenlet[T]:
        """Begin work that goes on while the run does."""
        return Greenlet(gevent.spawn(work))


@dataclass(frozen=True)
class CallerShell:
    """The shell of the user who runs this, who may use sudo and does not here."""

    shell: PyinfraShell

    def sh(self, script: str, *, stdin: str | None = None, timeout: float | None = 60) -> Result:
        """Run a script."""
        return self.shell.sh(script, stdin=stdin, timeout=timeout, sudo=False)


@dataclass(frozen=True)
class PyinfraScreen:
    """The lines that pyinfra shows of a host; see Screen."""

    host: Host

    def line(self, text: str, colour: str = "") -> None:
        """Show a line."""
        if colour:
            self.host.log_styled(text, fg=colour)
        else:
            self.host.log(text)
