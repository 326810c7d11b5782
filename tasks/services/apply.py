"""Each change of a container, done on the host through the Engine API.

Every function takes one step of the plan, by what the step carries: it works or raises StepFailed
with cause and remedy.
"""

from __future__ import annotations

from tasks.containers.engine import (
    container_now,
    must,
    remedy_of,
    remove_container,
    rename_container,
    start_container,
    stop_container,
    wait_until_it_answers,
)
from tasks.containers.plan import ContainerTarget
from tasks.run.run import Run
from tasks.servers.proof import prove_service
from tasks.services.image import tidy_images
from tasks.services.moved import Moved
from tasks.services.undo import log_downtime, undoing
from tasks.shell.answers import Answer
from tasks.words.failures import StepFailed
from tasks.words.foreign import BadAnswer
from tasks.words.steps import Step

CREATE = "/containers/create"


def create_volume(run: Run, step: Step, moved: Moved) -> None:
    """Create the volume of a service, with our labels."""
    spec = step.target.spec
    body = {"Name": spec.volume, "Labels": spec.labels()}
    must(run, "POST", "/volumes/create", f"volume {spec.volume}", body=body)


def rename(run: Run, step: Step, moved: Moved) -> None:
    """Give a renamed container its declared name back."""
    rename_container(run, step.subject, step.target.spec.name)


def start(run: Run, step: Step, moved: Moved) -> None:
    """Start a stopped container and wait until it answers."""
    _start(run, step.target)


def _start(run: Run, target: ContainerTarget) -> None:
    start_container(run, target.spec.name)
    wait_until_it_answers(run, target.spec, target.service.url)


def unpause(run: Run, step: Step, moved: Moved) -> None:
    """Let a paused container go on and wait until it answers."""
    name = step.target.spec.name
    must(run, "POST", f"/containers/{name}/unpause", f"unpause {name}")
    wait_until_it_answers(run, step.target.spec, step.target.service.url)


def stop(run: Run, step: Step, moved: Moved) -> None:
    """Stop a container and keep it."""
    stop_container(run, step.subject)


def remove(run: Run, step: Step, moved: Moved) -> None:
    """Remove a container; its volumes stay.

    With the one that a replacement set aside, the images of its service are put in order: what a
    rollback needs is kept first.
    """
    target = step.target
    if target is None or step.subject != target.spec.previous_name:
        remove_container(run, step.subject, moved.made)
        return
    tidy_images(run, target.service)
    remove_container(run, step.subject, moved.made)
    # Its image may have been the last one under a tag that nobody declares any more.
    tidy_images(run, target.service)


def remove_volume(run: Run, step: Step, moved: Moved) -> None:
    """Remove a volume with all that is on it."""
    must(run, "DELETE", f"/volumes/{step.subject}", f"remove volume {step.subject}")


def set_aside(run: Run, step: Step, moved: Moved) -> None:
    """Stop the container that is to be replaced and keep it under its other name."""
    spec = step.target.spec
    moved.stop()
    container = container_now(run, spec.name)
    try:
        stop_container(run, spec.name)
        rename_container(run, spec.name, spec.previous_name)
        if container is not None:
            # One that was adopted bears no label of ours, and may come back, or go in the end.
            moved.made[spec.previous_name] = container.id
    except StepFailed:
        start_container(run, spec.name)
        raise


def put_back(run: Run, step: Step, moved: Moved) -> None:
    """Bring the set-aside container back under its name and start it."""
    spec = step.target.spec
    rename_container(run, spec.previous_name, spec.name)
    _start(run, step.target)


def create(run: Run, step: Step, moved: Moved) -> None:
    """Create and start the container and wait until it answers; undo all of it if it does not.

    Only the container that this very request made is ever taken back: where the name is taken, or
    no answer came, nothing of what bears the name is.
    """
    spec = step.target.spec
    moved.made.pop(spec.name, None)
    with undoing(run, step.target, moved, is_new=True):
        doing, query = f"create {spec.name}", {"name": spec.name}
        answer = must(run, "POST", CREATE, doing, query=query, body=spec.create_body())
        moved.made[spec.name] = _id_of(answer, doing)
        _start(run, step.target)
    log_downtime(run, spec.service, moved)


def _id_of(answer: Answer, doing: str) -> str:
    """Return the id that the engine gave to what it made. Raises StepFailed."""
    try:
        return answer.fields.needed("Id")
    except BadAnswer as error:
        cause = f"{doing}: Docker does not tell what it made: {error}"
        raise StepFailed(cause, remedy_of(answer)) from None


def prove(run: Run, step: Step, moved: Moved) -> None:
    """Ask the new container for a generation; the one before it comes back if there is none.

    One that an earlier run made and did not prove is this run's to take back from here on.
    """
    spec = step.target.spec
    if spec.name not in moved.made:
        container = container_now(run, spec.name)
        if container is not None and container.is_of(spec.stack):
            # An earlier run made it.
            moved.made[spec.name] = container.id
    with undoing(run, step.target, moved, is_new=True):
        try:
            prove_service(run, step.target.service)
        except StepFailed as error:
            remedy = "read its log, then declare another image or setting, or stay with what serves"
            raise StepFailed(error.cause, remedy) from None
