"""Whether a proven tag moved at its registry: asked beside a converge, told at its end, not taken.

A converge that has everything needs no network (fault 37): who does not answer in time is not
waited for, and no answer is no failure.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import gevent
from pyinfra.api import deploy

from tasks.registry.manifests import look_up_image, look_up_model
from tasks.registry.newer import newer
from tasks.run.current import current_run
from tasks.run.run import Run
from tasks.run.usage import is_dry

# Seconds that the end of a run waits for registries that did not answer meanwhile.
PATIENCE = 1.0


@deploy("Upgrades")
def watch_for_upgrades() -> None:
    """Begin to ask the registries, while the run goes on."""
    run = current_run()
    if not run.stack.check_upgrades or run.has_failed(""):
        return
    asked: dict[str, Callable[[], object]] = {}
    for service in run.stack.selected:
        if not service.active:
            continue
        lock = run.locked(service)
        if lock.image_digest(service.image):
            asked[service.image] = partial(look_up_image, run, service)
        for model in set(service.models) & set(lock.models):
            asked[model] = partial(look_up_model, run, model)
    # One after the other: a host takes only so many sessions over one connection.
    run.questions = gevent.spawn(_ask, list(asked.values()))
    if is_dry():
        tell_upgrades(run)


def _ask(questions: list[Callable[[], object]]) -> None:
    for question in questions:
        question()


def tell_upgrades(run: Run) -> None:
    """Note every upgrade that the registries told of by now."""
    if run.questions is None:
        return
    run.questions.join(timeout=PATIENCE)
    for service in run.stack.selected:
        for what in newer(run.stack, service, run.locked(service), run.manifests):
            run.note(f"{service.name}: upgrade available: {what}; ./main.sh upgrade {service.name}")
