"""Copies of models inside a server: kept while one is replaced, and for a rollback.

A copy is a second name for the same layers: it costs no disk until the first one moves on.
"""

from __future__ import annotations

from functools import partial

from tasks.containers.facts import observe_afresh
from tasks.containers.observed import held_models
from tasks.declared.stack import REPLACED, Service
from tasks.models.plan import Held, copies, names
from tasks.run.entering import forget_model
from tasks.run.hostlock import under_lock
from tasks.run.run import Run
from tasks.services.moved import Moved
from tasks.services.plan import wanted_models
from tasks.shell import engine_api
from tasks.shell.answers import Answer
from tasks.words.failures import StepFailed
from tasks.words.foreign import BadAnswer
from tasks.words.steps import Step


def ask(run: Run, url: str, method: str, path: str, body: dict[str, str]) -> Answer:
    """Ask a server to change something, under the host's lock."""
    under = partial(under_lock, run.stack.container_prefix)
    return engine_api.ask(run.shell, url + path, method=method, body=body, timeout=60, wrap=under)


def copy(run: Run, service: Service, source: str, destination: str) -> None:
    """Give a model a second name."""
    body = {"source": source, "destination": destination}
    answer = ask(run, _url(run, service), "POST", "/api/copy", body)
    if not answer.ok:
        raise StepFailed(f"copy {source} to {destination}: {answer.message}", "run again")


def delete(run: Run, service: Service, name: str) -> None:
    """Delete a name, and the layers that no other one needs; one that is gone already is fine."""
    answer = ask(run, _url(run, service), "DELETE", "/api/delete", {"model": name})
    if not answer.ok and answer.status != 404:
        raise StepFailed(f"delete {name}: {answer.message}", "run again")


def _url(run: Run, service: Service) -> str:
    """Return where the container answers that is there: after an undo maybe at its old address."""
    container = observe_afresh(run).named(run.stack.container_name(service))
    return (container.url if container is not None else "") or service.url


def keep_model(run: Run, step: Step, moved: Moved) -> None:
    """Keep the model that is about to be replaced."""
    copy(run, step.target.service, step.target.model, step.target.model + REPLACED)


def bring_back_models(run: Run, service: Service, moved: Moved) -> list[str]:
    """Give every model that an upgrade replaced its name back; returns their names.

    What this run pulled goes; what the lock has moved to already stays.
    """
    held, proven = _held(run, service), run.held.locked(service).model_digests
    back = []
    for original in names(service, proven):
        replaced, present = held.get(original + REPLACED), held.get(original)
        if replaced is None:
            continue
        if present is None or present.digest not in (proven.get(original), replaced.digest):
            copy(run, service, replaced.name, original)
            back.append(original)
        elif present.digest != replaced.digest:
            continue
        delete(run, service, replaced.name)
    while moved.arrived:
        delete(run, service, moved.arrived.pop())
    run.seen.forget()
    return back


def tidy_models(run: Run, service: Service) -> None:
    """Keep what a rollback needs, and drop every other copy."""
    for change in list(copies(wanted_models(run, service), _held(run, service))):
        if change.source:
            copy(run, service, change.source, change.name)
        else:
            delete(run, service, change.name)
    run.seen.forget()


def remove_model(run: Run, step: Step, moved: Moved) -> None:
    """Remove a model that nobody declares any more, and forget that it was proven."""
    delete(run, step.target.service, step.target.model)
    forget_model(run, step.target.service, step.target.model)


def _held(run: Run, service: Service) -> Held:
    answer = ask(run, _url(run, service), "GET", "/api/tags", {})
    if not answer.ok:
        raise StepFailed(f"{service.name} does not tell its models: {answer.message}", "run again")
    try:
        return held_models(answer.json)
    except BadAnswer as error:
        raise StepFailed(f"{service.name} does not tell its models: {error}", "run again") from None
