"""The product in this process, without pyinfra: real runs, one after the other, on a fake host.

`Here` does what deploys/*.py do, in their order, by the product's own planners and executor. Each
run is what a new process would be: nothing of an earlier one is remembered but what lies on disk
and on the host. A run may be killed at any change of the host.
"""

from __future__ import annotations

import grp
import os
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tasks.converge import first
from tasks.converge.plan import whole_plan
from tasks.converge.planning import Planner, show_plan
from tasks.converge.removal import REMOVAL, show_removal
from tasks.database import stage as database
from tasks.declared.layers import RUN_OPTIONS_SOURCE, Layer, defaults_layer, merge
from tasks.declared.stack import Stack, declare
from tasks.host.preflight import preflight
from tasks.nvidia.stage import judge_nvidia
from tasks.run import holding, hostfolder, hostlock, streams
from tasks.run.run import Run
from tasks.run.session import SESSION, Session
from tasks.run.work import Work
from tasks.services.stage import container_works, model_works
from tasks.shell.local import LocalShell, Result
from tasks.upgrade.find import look_for_previous, look_for_upgrades
from tasks.upgrade.move import moves
from tasks.upgrade.plan import upgrade_plan
from tests.fake.deaths import Death, Mortal
from tests.fake.parts import Beside, KeptScreen, carry_out_now

T = TypeVar("T")
HOST = "@local"


class Killed(BaseException):
    """The process of a run ended here; nothing of it may catch this."""


@dataclass
class HereShell:
    """The shell of this machine for one run; once that is killed, no script is run any more."""

    death: Death
    name: str = HOST
    sudo: bool = False

    def sh(
        self,
        script: str,
        *,
        stdin: str | None = None,
        timeout: float | None = 60,
        sudo: bool | None = None,
    ) -> Result:
        """Run a script. Raises Killed where the run was killed meanwhile."""
        if self.death.has_come:
            raise Killed
        found = LocalShell().sh(script, stdin=stdin, timeout=timeout)
        # The one that holds the host's lock ends with the run.
        if self.death.has_come and threading.current_thread() is threading.main_thread():
            raise Killed
        return found

    def as_caller(self) -> LocalShell:
        """Return the shell of the user who runs this, without sudo."""
        return LocalShell()

    def beside(self, work: Callable[[], T]) -> Beside[T]:
        """Begin work that goes on while the run does."""
        return Beside(work)


@contextmanager
def own_lock_folder(folder: Path) -> Iterator[None]:
    """Keep the host's locks in a folder of a test's own, and let streams end soon."""
    folder.mkdir(exist_ok=True, mode=0o700)
    changed = {
        (hostfolder, "FOLDER"): str(folder),
        (hostfolder, "OWNER"): os.getuid(),
        (hostfolder, "GROUP"): grp.getgrgid(os.getgid()).gr_name,
        (streams, "POLL_SECONDS"): 0.02,
        (streams, "LINGER_SECONDS"): 2,
        # Each run begins anew with one of its own; other tests go on with that of this process.
        (hostlock, "TOKEN"): hostlock.TOKEN,
        (holding, "TOKEN"): holding.TOKEN,
    }
    before = {key: getattr(*key) for key in changed}
    for (module, name), value in changed.items():
        setattr(module, name, value)
    try:
        yield
    finally:
        SESSION.__dict__.update(Session().__dict__)
        for (module, name), value in before.items():
            setattr(module, name, value)


def begin_anew() -> None:
    """Forget all that a process knows, as the next one would not know it."""
    SESSION.__dict__.update(Session().__dict__)
    token = secrets.token_hex(8)
    hostlock.TOKEN = holding.TOKEN = token


@dataclass
class Here:
    """Runs of the product against what is declared; `declared` is what stack.toml would say."""

    declared: dict[str, Any]
    gate: Mortal

    def stack(self, options: Mapping[str, Any]) -> Stack:
        """Return the declaration as a run with these options takes it."""
        layers = [Layer("stack.toml", self.declared), Layer(RUN_OPTIONS_SOURCE, dict(options))]
        return declare(merge([defaults_layer(), *layers]))

    def converge(self, death: Death | None = None, **options: Any) -> Run:
        """Do what deploys/stack.py does."""

        def stages(run: Run) -> None:
            show_plan(run, whole_plan)
            _carry_out(run, container_works(run))
            _carry_out(run, model_works(run))

        return self._run(stages, death, options)

    def upgrade(self, death: Death | None = None, **options: Any) -> Run:
        """Do what deploys/upgrade.py does."""
        return self._run(_mover(look_for_upgrades, upgrade_plan), death, options)

    def rollback(self, death: Death | None = None, **options: Any) -> Run:
        """Do what deploys/rollback.py does."""
        return self._run(_mover(look_for_previous, upgrade_plan), death, options)

    def remove(self, death: Death | None = None, **options: Any) -> Run:
        """Do what deploys/remove.py does."""

        def stages(run: Run) -> None:
            show_removal(run)
            carry_out_now(run, REMOVAL)

        return self._run(stages, death, options)

    def _run(
        self, stages: Callable[[Run], None], death: Death | None, options: Mapping[str, Any]
    ) -> Run:
        begin_anew()
        death = death or Death()
        stack = self.stack(options)
        run = Run.on(HereShell(death), KeptScreen(), stack)
        SESSION.runs[HOST] = run
        self.gate.death = death
        try:
            if preflight(run) is not None:
                run.held = run.held.by(SESSION.lock(Path(stack.lock)))
                first.take_lock(run)
            if not run.teller.has_failed(""):
                judge_nvidia(run)
                stages(run)
            for command in database.commands(run):
                command()
        except Killed:
            pass
        finally:
            self.gate.death = None
            _let_go(run)
        return run


def _let_go(run: Run) -> None:
    """End what holds the host's lock, as the end of a run's process does."""
    holder = SESSION.holders.pop(HOST, None)
    if holder is not None and not holder.process.is_done():
        LocalShell().sh(hostlock.release_script(run.stack.container_prefix, holder.mark))


def _mover(look: Callable[[Run], None], planner: Planner) -> Callable[[Run], None]:
    def stages(run: Run) -> None:
        look(run)
        show_plan(run, planner)
        _carry_out(run, moves(run))

    return stages


def _carry_out(run: Run, works: Iterator[tuple[str, Work[Any]]]) -> None:
    # After one that failed the others go on, as pyinfra lets them.
    for _, work in works:
        carry_out_now(run, work)
