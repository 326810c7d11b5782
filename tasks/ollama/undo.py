"""Taking back what failed: the container before it, its models and its image serve again."""

from __future__ import annotations

import time

from tasks.models.copies import bring_back_models
from tasks.ollama.containers import (
    keep_log,
    remove_container,
    rename_container,
    request,
    start_container,
    tell_downtime,
    wait_until_it_answers,
)
from tasks.ollama.image import tidy_images
from tasks.ollama.observed import ObservedContainer
from tasks.ollama.proof import verify_service
from tasks.ollama.spec import ContainerSpec
from tasks.run import Run
from tasks.stack import REPLACED, Service
from tasks.steps import StepFailed


def undo(
    run: Run, spec: ContainerSpec, service: Service, error: StepFailed, *, is_new: bool = False
) -> StepFailed:
    """Take a failed change of a service back, and see that what was there before generates again.

    `is_new`: the container under the service's name is the one that failed; it goes even where
    there is none before it. Returns the failure to report. It never tries twice: if this fails
    too, the commands that do it by hand are the remedy (fault 31).
    """
    name, aside = spec.name, spec.previous_name
    failed, before = _look(run, name), _look(run, aside)
    if any(c is not None and not c.is_of(spec.stack) for c in (failed, before)):
        # Somebody else took the name meanwhile: theirs stays.
        cause = f"{error.cause}; and a container that is not ours bears the name {name} or {aside}"
        return StepFailed(cause, "give it another name (docker rename), then run again")
    has_failed = failed is not None and (is_new or before is not None)
    cause = error.cause + (keep_log(run, name) if has_failed else "")
    url = before.url if before is not None else ""
    by_hand = f"docker rm -f {name}"
    try:
        if has_failed:
            run.stopped_at.setdefault(spec.service, time.monotonic())
            remove_container(run, name)
        if before is not None:
            by_hand = f"docker rename {aside} {name}; docker start {name}"
            run.log(f"  put container {aside} back as {name}")
            rename_container(run, aside, name)
            by_hand = f"docker start {name}; docker logs {name}"
            start_container(run, name)
            wait_until_it_answers(run, spec, url or service.url)
            tell_downtime(run, spec.service)
        elif is_new:
            tidy_images(run, service)
            return StepFailed(cause, error.remedy)
        by_hand = (
            f"docker exec {name} ollama ls; for each MODEL{REPLACED} there:"
            f" docker exec {name} ollama cp MODEL{REPLACED} MODEL"
        )
        back = bring_back_models(run, service)
        tidy_images(run, service)
        by_hand = f"docker logs {name}"
        serves = verify_service(run, service, url or service.url)
    except StepFailed as second:
        return StepFailed(
            f"{cause}; and what was there before did not come back: {second.cause}",
            f"by hand: {by_hand}",
        )
    if before is not None:
        cause += "; the container before it serves again"
    elif serves:
        cause += "; the service goes on serving"
    models = f", {' and '.join(back)} as before" if back else ""
    return StepFailed(cause + models, error.remedy)


def _look(run: Run, name: str) -> ObservedContainer | None:
    answer = request(run, "GET", f"/containers/{name}/json")
    return ObservedContainer.from_inspect(answer.json) if answer.ok else None
