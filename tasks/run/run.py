"""One run on one host: its declaration, the way to its shell, and what happened so far."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from paramiko import SSHException
from pyinfra.api import Host, StringCommand

from tasks.declared import layers
from tasks.declared.stack import Service, Stack
from tasks.host.details import HostDetails
from tasks.records import journal
from tasks.records.goals import Goal
from tasks.records.lockfile import LockError, LockFile
from tasks.records.proven import Proven, ServiceLock
from tasks.records.runlog import RunLog
from tasks.shell.local import Result
from tasks.words.printable import printable
from tasks.words.steps import Event, Failure, Step, StepFailed

# A `docker run` with all that a service declares is one line, to be copied.
LONGEST_LINE = 20_000
RUN_ID = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}"


@dataclass
class Run:
    """What the stages of one run on one host share.

    `failures` is what did not work so far; `memory` is for what a stage observed and others read,
    by type; a change drops all of it. `goals` is what an upgrade or a rollback brings services to;
    `proven_then` is what the lock held of the host at the first look.
    `halted` tells that one of them failed, so that the others are left as they are; `arrived` are
    the models, by service, that were not there before this run, and `made` the ids, by name, of
    the containers that this run made, or set aside by consent: these it may take back and remove,
    besides those with our label. `record` is the log of what is changed; none where a run only
    looks.
    """

    host: Host
    stack: Stack
    sudo: bool = False
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    details: HostDetails | None = None
    proofs: dict[str, Any] = field(default_factory=dict)
    stopped_at: dict[str, float] = field(default_factory=dict)
    goals: dict[str, Goal] = field(default_factory=dict)
    halted: bool = False
    arrived: dict[str, set[str]] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    gpu_is_usable: bool = False
    gpu_on_hold: bool = False
    engine_needs: str = ""
    has_steps: bool = True
    lock: LockFile | None = None
    proven_then: Mapping[str, ServiceLock] = field(default_factory=dict)
    holder: Any = None
    questions: Any = None
    record: RunLog | None = None
    manifests: dict[tuple[str, str], Any] = field(default_factory=dict)
    memory: dict[type, Any] = field(default_factory=dict)

    @property
    def is_executing(self) -> bool:
        """Tell the second phase, where things change, from the first."""
        return bool(self.host.state.is_executing)

    def has_failed(self, service: str) -> bool:
        """Tell whether the host or this service has failed in this run."""
        return any(f.service in ("", service) for f in self.failures)

    def locked(self, service: Service) -> ServiceLock:
        """Return what the lock holds of a service on this host."""
        lock = self.lock
        return ServiceLock() if lock is None else lock.service(self.host.name, service.name)

    def image_digest(self, service: Service) -> str:
        """Return the digest that the image of a service is held to, "" where none is known yet.

        What was never proven here is taken as other services and hosts proved it.
        """
        goal = self.goals.get(service.name)
        if goal is not None and goal.image_digest:
            return goal.image_digest
        known = self.lock.known_image(service.image) if self.lock is not None else ""
        return self.locked(service).image_digest(service.image) or known

    def is_staged(self, service: Service) -> bool:
        """Tell whether this run moves the image of a service to a digest that is not proven yet."""
        goal = self.goals.get(service.name)
        return goal is not None and bool(goal.image_digest)

    def model_digests(self, service: Service) -> dict[str, str]:
        """Return the digests that the models of a service are held to."""
        known = self.lock.known_models(self.host.name) if self.lock is not None else {}
        goal = self.goals.get(service.name)
        moved = goal.model_digests if goal is not None else {}
        return {**known, **self.locked(service).model_digests, **moved}

    def previous_image(self, service: Service) -> str | None:
        """Return the digest of the image to keep; "" for none, None where nothing was proven."""
        image = self.locked(service).image
        if image is None:
            return None
        return image.previous.digest if image.previous and self.stack.keep_previous else ""

    def sh(
        self,
        script: str,
        *,
        stdin: str | None = None,
        timeout: float | None = 60,
        sudo: bool | None = None,
    ) -> Result:
        """Run a shell script on the host, with sudo where this user needs it.

        `timeout` is in seconds. Whatever is secret goes through `stdin`, which nothing prints.
        """
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

    def enter(
        self,
        service: Service,
        image: Proven | None,
        models: Mapping[str, Proven],
        *,
        is_move: bool = False,
    ) -> None:
        """Enter what was proven of a service into the lock. Raises StepFailed."""
        main = service.model if service.model in models else ""
        with self._writing() as lock:
            lock.put(self.host.name, service.name, image, models, main, is_move=is_move)

    def forget_model(self, service: Service, model: str) -> None:
        """Take a model that is no more out of the lock. Raises StepFailed."""
        with self._writing() as lock:
            lock.drop_models(self.host.name, service.name, [model])

    @contextmanager
    def _writing(self) -> Iterator[LockFile]:
        try:
            yield self.lock or LockFile.load(layers.rooted(self.stack.lock))
        except (OSError, LockError) as error:
            cause, _, remedy = str(error).partition("\n  remedy: ")
            remedy = remedy or "mend the rights or the file, then run again"
            raise StepFailed(f"{self.stack.lock} cannot be written: {cause}", remedy) from None

    def log(self, message: str) -> None:
        """Show a line to the person who watches."""
        self.host.log(printable(message, LONGEST_LINE))

    def fail(self, failure: Failure) -> None:
        """Note a failure for the report, and show its first line at once."""
        self.failures.append(failure)
        journal.write("failure", host=self.host.name, **failure.__dict__)
        for line in failure.lines():
            self.host.log_styled(line, fg="red")
        if self.record is not None:
            self.record.failed(failure)

    def note(self, text: str) -> None:
        """Note something that is not a failure and that the person should know; shown once."""
        if text not in self.notes:
            self.notes.append(text)
            journal.write("note", host=self.host.name, text=text)
            self.host.log_styled(printable(text), fg="yellow")

    def changed(self, step: Step) -> None:
        """Write a change down, and forget what was observed before it."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        event = Event(now, step.service, step.action, step.subject, step.why)
        self.events.append(event)
        journal.write("change", host=self.host.name, **event.__dict__)
        if self.record is not None:
            self.record.changed(event)
        self.memory.clear()


@dataclass(frozen=True)
class CallerShell:
    """The shell of the user who runs this, who may use sudo and does not here."""

    run: Run

    def sh(self, script: str, *, stdin: str | None = None, timeout: float | None = 60) -> Result:
        """Run a script."""
        return self.run.sh(script, stdin=stdin, timeout=timeout, sudo=False)
