"""Whether a proven tag moved at its registry: asked beside a converge, told at its end, not taken.

A converge that has everything needs no network (fault 37): who does not answer in time is not
waited for, and no answer is no failure.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tasks.registry.asker import asker_of
from tasks.registry.lookups import image_of, model_of
from tasks.registry.newer import newer
from tasks.run.pyinfra.current import current_run
from tasks.run.pyinfra.stages import stage
from tasks.run.pyinfra.usage import is_dry
from tasks.run.run import Run
from tasks.run.session import SESSION

# Seconds that the end of a run waits for registries that did not answer meanwhile.
PATIENCE = 1.0


@stage("Upgrades")
def watch_for_upgrades() -> None:
    """Begin to ask the registries, while the run goes on."""
    run = current_run()
    if not run.stack.check_upgrades or run.teller.has_failed(""):
        return
    asked: dict[str, Callable[[], object]] = {}
    for service in run.stack.selected:
        if not service.active:
            continue
        lock = run.held.locked(service)
        if lock.image_digest(service.image):
            asked[service.image] = partial(image_of, run, service)
        for model in set(service.models) & set(lock.models):
            asked[model] = partial(model_of, run, model)
    # One after the other: a host takes only so many sessions over one connection.
    questions = list(asked.values())
    SESSION.questions[run.shell.name] = run.shell.beside(lambda: _ask(questions))
    if is_dry():
        tell_upgrades(run)


def _ask(questions: list[Callable[[], object]]) -> None:
    for question in questions:
        question()


def tell_upgrades(run: Run) -> None:
    """Note every upgrade that the registries told of by now."""
    questions = SESSION.questions.get(run.shell.name)
    if questions is None:
        return
    questions.wait(PATIENCE)
    manifests = asker_of(run).manifests
    for service in run.stack.selected:
        for what in newer(run.stack, service, run.held.locked(service), manifests):
            run.teller.note(
                f"{service.name}: upgrade available: {what}; ./main.sh upgrade {service.name}"
            )
