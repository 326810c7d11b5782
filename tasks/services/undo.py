"""Taking back what failed: the container before it, its models and its image serve again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tasks.containers.engine import (
    container_now,
    is_ours,
    keep_log,
    remove_container,
    rename_container,
    start_container,
    wait_until_it_answers,
)
from tasks.containers.observed import ObservedContainer
from tasks.containers.plan import ContainerTarget
from tasks.containers.spec import ContainerSpec
from tasks.declared.stack import REPLACED
from tasks.run.run import Run
from tasks.run.unforeseen import unforeseen
from tasks.servers.proof import verify_service
from tasks.services.copies import bring_back_models
from tasks.services.image import tidy_images
from tasks.services.moved import Moved
from tasks.words.failures import StepFailed


@contextmanager
def undoing(
    run: Run, target: ContainerTarget, moved: Moved, *, is_new: bool = False
) -> Iterator[None]:
    """Take a change of a service back if anything in the block fails; raises StepFailed then."""
    try:
        yield
    except StepFailed as error:
        raise undo(run, target, moved, error, is_new=is_new) from None
    except Exception as error:
        fault = unforeseen("", error)
        failed = StepFailed(fault.cause, fault.remedy)
        raise undo(run, target, moved, failed, is_new=is_new) from None


def undo(
    run: Run, target: ContainerTarget, moved: Moved, error: StepFailed, *, is_new: bool
) -> StepFailed:
    """Take a failed change of a service back, and see that what was there before generates again.

    `is_new`: the container that this run made for the service is the one that failed; it goes even
    where there is none before it. Another one under its name is never removed. Returns the failure
    to report. It never tries twice: if this fails too, or if nobody can see what is there, the
    commands that do it by hand are the remedy (fault 31).
    """
    spec = target.spec
    try:
        failed, before = container_now(run, spec.name), container_now(run, spec.previous_name)
    except StepFailed as unseen:
        cause = f"{error.cause}; and nothing was taken back: {unseen.cause}"
        return StepFailed(cause, _commands(spec))
    if any(c is not None and not is_ours(run, c, moved.made) for c in (failed, before)):
        # Somebody else took the name meanwhile: theirs stays.
        names = f"{spec.name} or {spec.previous_name}"
        cause = f"{error.cause}; and a container that is not ours bears the name {names}"
        return StepFailed(cause, "give it another name (docker rename), then run again")
    run.teller.proofs.pop(spec.service, None)
    is_made = failed is not None and failed.id == moved.made.get(spec.name)
    if failed is not None and before is not None and not is_made:
        # The request that failed made nothing that is known: whatever bears the name stays.
        names = f"{spec.name} is there beside {spec.previous_name}"
        cause = f"{error.cause}; and {names}: both are left as they are"
        return StepFailed(cause, "run again: the plan starts from what is there")
    goes = is_made and (is_new or before is not None)
    cause = error.cause + (keep_log(run, spec.name) if goes else "")
    try:
        if goes:
            _remove(run, spec, moved)
        serving = before or (None if goes else failed)
        back = _bring_back(run, target, moved, serving, is_aside=before is not None)
    except StepFailed as second:
        cause += f"; and what was there before did not come back: {second.cause}"
        return StepFailed(cause, second.remedy)
    if before is not None:
        cause += "; the container before it serves again"
    elif serving is not None:
        cause += "; the service goes on serving"
    models = f", {' and '.join(back)} as before" if back else ""
    return StepFailed(cause + models, error.remedy)


def _commands(spec: ContainerSpec) -> str:
    """Say how a person sees what is there, and lets the container before it serve again."""
    name, aside = spec.name, spec.previous_name
    return (
        f"by hand, once Docker answers: docker ps -a --filter name={name}; where {aside} is there"
        f" and {name} is not: docker rename {aside} {name}; docker start {name}; or run again"
    )


def log_downtime(run: Run, service: str, moved: Moved) -> None:
    """Say for how long a service did not answer, if this run stopped it."""
    seconds = moved.downtime()
    if seconds is not None:
        run.teller.log(f"  {service} did not answer for {seconds:.1f} s")


def _remove(run: Run, spec: ContainerSpec, moved: Moved) -> None:
    """Remove the container that failed; the service does not answer from now on."""
    moved.stop()
    name, aside = spec.name, spec.previous_name
    with _by_hand(f"docker rm -f {name}; docker rename {aside} {name}; docker start {name}"):
        remove_container(run, name, moved.made)


def _bring_back(
    run: Run,
    target: ContainerTarget,
    moved: Moved,
    container: ObservedContainer | None,
    *,
    is_aside: bool,
) -> list[str]:
    """Let a container serve with the models it had; returns those that had been replaced."""
    spec, service = target.spec, target.service
    name, aside = spec.name, spec.previous_name
    if container is None:
        tidy_images(run, service)
        return []
    if is_aside:
        run.teller.log(f"  put container {aside} back as {name}")
        with _by_hand(f"docker rename {aside} {name}; docker start {name}"):
            rename_container(run, aside, name)
    with _by_hand(f"docker start {name}; docker logs {name}"):
        start_container(run, name)
        wait_until_it_answers(run, spec, container.url)
    log_downtime(run, spec.service, moved)
    copy = f"docker exec {name} ollama cp MODEL{REPLACED} MODEL"
    with _by_hand(f"docker exec {name} ollama ls; for each MODEL{REPLACED} there: {copy}"):
        back = bring_back_models(run, service, moved)
    tidy_images(run, service)
    with _by_hand(f"docker logs {name}"):
        verify_service(run, service, container.url)
    return back


@contextmanager
def _by_hand(commands: str) -> Iterator[None]:
    """Make these commands the remedy of what fails in the block."""
    try:
        yield
    except StepFailed as error:
        raise StepFailed(error.cause, f"by hand: {commands}") from None
