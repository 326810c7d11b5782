"""A run takes the lock of a host, by the shell of this machine, and lets go of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasks.run import holding, hostlock
from tasks.run.holding import release, take
from tasks.run.run import Run
from tasks.run.session import Session
from tasks.shell.local import Result
from tests.unit.tasks.run.locks import PREFIX, ends_with, hold, shown, wait_for, who_has_it
from tests.unit.tasks.runs import Asked, SaidShell, here, lines_of, run_on
from tests.unit.tasks.samples import stack

pytestmark = pytest.mark.usefixtures("folder")


def a_run(lock_wait: int = 0, shell: SaidShell | None = None) -> Run:
    declared = stack(container_prefix=PREFIX)
    options = declared.options.model_copy(update={"lock_wait": lock_wait})
    return run_on(shell or SaidShell(here), declared.model_copy(update={"options": options}))


def test_a_run_takes_it_lets_go_of_it_and_names_who_has_it(folder: Path) -> None:
    one, other = Session(), Session()
    assert take(a_run(), one) is None
    failure = take(a_run(), other)
    assert failure is not None and f"PID {os.getpid()} of " in failure.cause
    (holder,) = one.holders.values()
    release(a_run(), one)
    ended = holder.process.wait(20)
    assert ended is not None and ended.ok, "it ends at once, though its heartbeat is read"
    assert one.holders == {}
    assert take(a_run(), other) is None
    release(a_run(), other)
    assert not [path for path in folder.iterdir() if "release" in path.name]


def test_attack_13_who_has_it_is_shown_without_its_escapes() -> None:
    first = hold("\x1b]0;title\x07evil\x1b[2J")
    wait_for(who_has_it(), "\x1b")
    failure = take(a_run(), Session())
    assert failure is not None and "evil" in failure.cause and "\x1b" not in failure.cause
    assert shown() == "evil"
    first.kill()
    ends_with(first)


def test_who_waits_says_once_whom_for_and_has_it_then() -> None:
    first = hold("the first")
    wait_for(who_has_it(), "the first")
    looks: list[str] = []

    def answer(asked: Asked) -> Result:
        if asked.script.startswith("cat "):
            looks.append(asked.script)
        if len(looks) == 4:
            first.kill()
        return here(asked)

    run, session = a_run(30, SaidShell(answer)), Session()
    assert take(run, session) is None
    assert lines_of(run) == ["  waiting for another run: the first"]
    release(run, session)
    ends_with(first)


def test_a_host_that_never_answers_is_given_up_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = tmp_path / "end"
    monkeypatch.setattr(holding, "ANSWER_WAIT", 0.5)
    monkeypatch.setattr(
        holding, "holder_script", lambda *_: f"until [ -e {end} ]; do sleep 0.05; done"
    )
    run, session = a_run(), Session()
    failure = take(run, session)
    assert failure is not None and "did not say" in failure.cause
    (holder,) = session.holders.values()
    given_up = hostlock.give_up_script(PREFIX, holder.mark)
    assert isinstance(run.shell, SaidShell) and run.shell.scripts[-1] == given_up
    end.touch()
    holder.process.wait(20)


def test_what_keeps_the_folder_from_being_made_is_told(folder: Path) -> None:
    folder.symlink_to("/nowhere")
    failure = take(a_run(), Session())
    assert failure is not None and failure.what == "the lock of this host cannot be taken"
    assert "is no folder that only root and the group" in failure.cause
