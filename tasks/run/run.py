"""One run on one host: its declaration, the way to its shell, and what happened so far."""

from __future__ import annotations

import os
import shlex
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from paramiko import SSHException
from pyinfra.api import FunctionCommand, Host, StringCommand
from pyinfra.context import ctx_host

from tasks.database.rows import HostDetails
from tasks.declared import layers
from tasks.declared.stack import DeclarationError, Service, Stack, declare
from tasks.records import journal
from tasks.records.goals import Goal
from tasks.records.lockfile import LockError, LockFile, Proven, ServiceLock
from tasks.records.runlog import RunLog
from tasks.shell.local import Result
from tasks.words.printable import printable, printable_lines
from tasks.words.steps import Action, Failure, Step, StepFailed

DEBUG = "OLLAMA_STACK_DEBUG"
# A `docker run` with all that a service declares is one line, to be copied.
LONGEST_LINE = 20_000
RUN_ID = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}"


@dataclass(frozen=True)
class Event:
    """A change that was made, for the history in the database. `at` is UTC, ISO 8601."""

    at: str
    service: str
    action: Action
    subject: str
    why: str


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


_RUNS: WeakKeyDictionary[Host, Run] = WeakKeyDictionary()
_LOCKS: dict[Path, LockFile] = {}


def current_run() -> Run:
    """Return the run on the current host; made, and its declaration validated, the first time.

    Raises DeclarationError.
    """
    host: Host = ctx_host.get()
    run = _RUNS.get(host)
    if run is None:
        run = _RUNS[host] = Run(host=host, stack=declare(host_layers(host)))
    return run


def declare_all() -> None:
    """Validate the declarations of all hosts of this process, before the first look at any.

    Raises DeclarationError with the faults of all of them; what is not everybody's names its host.
    """
    here: Host = ctx_host.get()
    if here in _RUNS:
        return
    hosts = [host for host in here.inventory if here.state.is_host_in_limit(host)]
    faulty: dict[str, list[str]] = {}
    for host in hosts:
        try:
            stack = declare(host_layers(host))
        except DeclarationError as error:
            for fault in error.faults:
                faulty.setdefault(fault, []).append(host.name)
            continue
        if host in here.state.active_hosts:
            _RUNS[host] = Run(host=host, stack=stack)
    if faulty:
        raise DeclarationError(
            [
                fault if len(names) == len(hosts) else f"{fault} (on {', '.join(names)})"
                for fault, names in faulty.items()
            ]
        )


def shared_lock(path: Path) -> LockFile:
    """Return the lock, one for all hosts of this process: what one host proves, the next ones take.

    Raises LockError.
    """
    if path not in _LOCKS:
        _LOCKS[path] = LockFile.load(path)
    return _LOCKS[path]


def host_layers(host: Host) -> layers.Merged:
    """Merge the declaration of one host; see design: all < group < host < stack.toml < --data."""
    inventory = host.inventory
    toml, faults = layers.toml_layer(layers.stack_file())
    groups = [
        layers.Layer(f"group_data/{group}.py", _own(inventory.get_group_data(group)))
        for group in host.groups
    ]
    merged = layers.merge(
        [
            layers.defaults_layer(),
            layers.Layer(layers.DEFAULTS, _own(inventory.get_data())),
            *groups,
            layers.Layer(f"host data of {host.name}", _own(inventory.get_host_data(host.name))),
            toml,
            layers.Layer(layers.RUN_OPTIONS_SOURCE, dict(inventory.get_override_data())),
        ]
    )
    merged.faults[:0] = faults
    return merged


def _own(data: Any) -> dict[str, Any]:
    return layers.python_settings(dict(data))


def quote(*words: object) -> str:
    """Quote words for the shell."""
    return shlex.join(str(word) for word in words)


def step_command(run: Run, step: Step, function: Any, *args: Any) -> FunctionCommand:
    """Wrap a step for pyinfra: shown when it begins, written down when it is done.

    A StepFailed becomes a failure of the run and of the operation; it never leaves as an exception.
    """

    def execute(state: Any, host: Any) -> bool:
        run.log(str(step))
        begun = time.monotonic()
        try:
            function(run, step, *args)
        except StepFailed as error:
            run.memory.clear()
            run.fail(Failure(f"{step.text}: failed", error.cause, error.remedy, step.service))
            return False
        except Exception as error:
            run.fail(unforeseen(f"{step.text}: failed", error, step.service))
            return False
        run.changed(step)
        elapsed = time.monotonic() - begun
        if elapsed >= 1:
            run.log(f"  done in {elapsed:.1f} s")
        return True

    return FunctionCommand(execute, (), {})


def unforeseen(what: str, error: Exception, service: str = "") -> Failure:
    """Return the failure that an exception of our own stands for; DEBUG shows where it is."""
    if os.environ.get(DEBUG):
        print(printable_lines("".join(traceback.format_exception(error))), file=sys.stderr)
    remedy = f"this is a fault of ollama-stack: {DEBUG}=1 shows where; please report it"
    return Failure(what, f"{type(error).__name__}: {error}", remedy, service)


def all_runs() -> list[Run]:
    """Return the runs on all hosts of this process."""
    return list(_RUNS.values())
