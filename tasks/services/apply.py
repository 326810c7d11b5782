"""Each change of a container, done on the host through the Engine API.

Every function is one step of the plan: it works or raises StepFailed with cause and remedy.
"""

from __future__ import annotations

import time

from tasks.containers.engine import (
    container_now,
    must,
    remedy_of,
    remove_container,
    rename_container,
    start_container,
    stop_container,
    tell_downtime,
    wait_until_it_answers,
)
from tasks.containers.spec import ContainerSpec
from tasks.declared.stack import Service
from tasks.run.run import Run
from tasks.servers.proof import prove_service
from tasks.services.image import tidy_images, untag
from tasks.services.undo import undoing
from tasks.shell.answers import Answer
from tasks.words.foreign import BadAnswer
from tasks.words.steps import Step, StepFailed

CREATE = "/containers/create"


def create_volume(run: Run, step: Step, spec: ContainerSpec) -> None:
    """Create the volume of a service, with our labels."""
    body = {"Name": spec.volume, "Labels": spec.labels()}
    must(run, "POST", "/volumes/create", f"volume {spec.volume}", body=body)


def rename(run: Run, step: Step, spec: ContainerSpec) -> None:
    """Give a renamed container its declared name back."""
    rename_container(run, step.subject, spec.name)


def start(run: Run, step: Step, spec: ContainerSpec, service: Service) -> None:
    """Start a stopped container and wait until it answers."""
    start_container(run, spec.name)
    wait_until_it_answers(run, spec, service.url)


def unpause(run: Run, step: Step, spec: ContainerSpec, service: Service) -> None:
    """Let a paused container go on and wait until it answers."""
    must(run, "POST", f"/containers/{spec.name}/unpause", f"unpause {spec.name}")
    wait_until_it_answers(run, spec, service.url)


def stop(run: Run, step: Step) -> None:
    """Stop a container and keep it."""
    stop_container(run, step.subject)


def remove(run: Run, step: Step) -> None:
    """Remove a container; its volumes stay."""
    remove_container(run, step.subject)


def remove_previous(run: Run, step: Step, spec: ContainerSpec, service: Service) -> None:
    """Remove a container of the service; what a rollback needs of its image is kept first."""
    if step.subject != spec.previous_name:
        remove_container(run, step.subject)
        return
    tidy_images(run, service)
    remove_container(run, step.subject)
    # Its image may have been the last one under a tag that nobody declares any more.
    tidy_images(run, service)


def remove_volume(run: Run, step: Step) -> None:
    """Remove a volume with all that is on it."""
    must(run, "DELETE", f"/volumes/{step.subject}", f"remove volume {step.subject}")


def remove_image(run: Run, step: Step) -> None:
    """Take a tag of an image away, and the image with its last one."""
    untag(run, step.subject)


def set_aside(run: Run, step: Step, spec: ContainerSpec) -> None:
    """Stop the container that is to be replaced and keep it under its other name."""
    run.stopped_at[spec.service] = time.monotonic()
    container = container_now(run, spec.name)
    try:
        stop_container(run, spec.name)
        rename_container(run, spec.name, spec.previous_name)
        if container is not None:
            # One that was adopted bears no label of ours, and may come back, or go in the end.
            run.made[spec.previous_name] = container.id
    except StepFailed:
        start_container(run, spec.name)
        raise


def put_back(run: Run, step: Step, spec: ContainerSpec, service: Service) -> None:
    """Bring the set-aside container back under its name and start it."""
    rename_container(run, spec.previous_name, spec.name)
    start(run, step, spec, service)


def create(run: Run, step: Step, spec: ContainerSpec, service: Service) -> None:
    """Create and start the container and wait until it answers; undo all of it if it does not.

    Only the container that this very request made is ever taken back: where the name is taken, or
    no answer came, nothing of what bears the name is.
    """
    run.made.pop(spec.name, None)
    with undoing(run, spec, service, is_new=True):
        doing, query = f"create {spec.name}", {"name": spec.name}
        answer = must(run, "POST", CREATE, doing, query=query, body=spec.create_body())
        run.made[spec.name] = _id_of(answer, doing)
        start_container(run, spec.name)
        wait_until_it_answers(run, spec, service.url)
    tell_downtime(run, spec.service)


def _id_of(answer: Answer, doing: str) -> str:
    """Return the id that the engine gave to what it made. Raises StepFailed."""
    try:
        return answer.fields.needed("Id")
    except BadAnswer as error:
        cause = f"{doing}: Docker does not tell what it made: {error}"
        raise StepFailed(cause, remedy_of(answer)) from None


def prove(run: Run, step: Step, spec: ContainerSpec, service: Service) -> None:
    """Ask the new container for a generation; the one before it comes back if there is none.

    One that an earlier run made and did not prove is this run's to take back from here on.
    """
    if spec.name not in run.made:
        container = container_now(run, spec.name)
        if container is not None and container.is_of(spec.stack):
            # An earlier run made it.
            run.made[spec.name] = container.id
    with undoing(run, spec, service, is_new=True):
        try:
            prove_service(run, service)
        except StepFailed as error:
            remedy = "read its log, then declare another image or setting, or stay with what serves"
            raise StepFailed(error.cause, remedy) from None
