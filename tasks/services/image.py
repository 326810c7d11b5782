"""Images of a service: pulled by the proven digest where there is one, tagged, kept and dropped.

An image that an upgrade pulls bears a tag of our own, CONTAINER-next, until it is proven, and the
declared tag from the moment at which its container is made; the image that had that tag bears
CONTAINER-replaced meanwhile. The one before the present one is kept under CONTAINER-previous. All
tags are in the image's own repository: the engine forgets an image's digests with the last tag of
its repository.
"""

from __future__ import annotations

from tasks.containers.engine import must, request
from tasks.containers.facts import observe, observe_afresh
from tasks.containers.plan import ContainerTarget
from tasks.containers.tags import own_tags, tag_changes
from tasks.declared.stack import REPLACED, Service
from tasks.registry.manifests import fault
from tasks.run.run import Run
from tasks.run.streams import ImageProgress, StreamEnd, follow
from tasks.services.moved import Moved
from tasks.services.plan import image_before, previous_image, spec_for
from tasks.shell.curl import curl, streaming
from tasks.shell.engine_api import engine
from tasks.words.failures import StepFailed
from tasks.words.steps import Step


def pull_image(run: Run, step: Step, moved: Moved) -> None:
    """Pull the declared image; by the digest to hold to, where one is known. Raises StepFailed.

    In an upgrade it gets a tag of our own first, and what runs keeps the declared one.
    """
    target: ContainerTarget = step.target
    image = run.stack.image_reference(target.service)
    digest, staged = target.image_digest, target.staged_tag
    if str(image) in observe(run).images and not digest:
        return
    query: dict[str, object] = {"fromImage": image.name, "tag": digest or image.tag}
    command = streaming(engine("/images/create", query), socket=run.stack.docker_socket)
    for following in own_tags(observe(run).kept, (image.repository,)):
        if staged and following.is_for(staged):
            # An earlier upgrade pulled another one: without its tag it would stay for ever.
            untag(run, following.reference)
    tagging = ""
    if digest:
        # On the host, with the pull: an image without a tag would be lost if this run ended.
        tag: dict[str, object] = {"repo": image.name, "tag": staged or image.tag}
        url = engine(f"/images/{image.name}@{digest}/tag", tag)
        tagging = curl([url], socket=run.stack.docker_socket, method="POST")
    end = follow(
        run,
        command,
        "",
        ImageProgress(),
        what=str(image),
        stall=run.stack.pull_stall,
        after=tagging,
    )
    if not end.ok:
        raise _explain(run, end, str(image), image.registry)


def tag_image(run: Run, step: Step, moved: Moved) -> None:
    """Give an image that is here the declared tag."""
    target: ContainerTarget = step.target
    image = run.stack.image_reference(target.service)
    snapshot = observe_afresh(run)
    source = snapshot.image_id(target.image_digest)
    if not source:
        raise StepFailed(f"{image} is not here any more", "run again: it is pulled then")
    tagged = snapshot.images.get(str(image))
    is_shared = tagged is not None and snapshot.is_shared(tagged.id, step.service)
    if tagged is not None and target.staged_tag and not is_shared:
        # Whoever else uses it holds it; its last tag could not be taken away again.
        _tag(run, tagged.id, image.name, target.spec.name + REPLACED)
    _tag(run, source, image.name, image.tag)


def tidy_images(run: Run, service: Service) -> None:
    """Bring the tags of a service's images to what the lock says.

    A tag that was declared before goes as well, if no container uses it.
    """
    snapshot, old = observe_afresh(run), image_before(run, service)
    proven = run.held.locked(service).image_digest(service.image)
    previous = previous_image(run, service)
    repository = old.name if old is not None else ""
    for change in tag_changes(spec_for(run, service), proven, previous, repository, snapshot):
        if change.source:
            _tag(run, change.source, *split(change.reference))
        else:
            untag(run, change.reference)
    declared = {str(run.stack.image_reference(s)) for s in run.stack.services}
    if old is not None and str(old) not in declared and not snapshot.uses(str(old)):
        untag(run, str(old))
    run.seen.forget()


def remove_image(run: Run, step: Step, moved: Moved) -> None:
    """Take a tag of an image away, and the image with its last one."""
    untag(run, step.subject)


def split(reference: str) -> tuple[str, str]:
    """Take repository and tag of a reference apart."""
    repository, _, tag = reference.rpartition(":")
    return repository, tag


def untag(run: Run, reference: str) -> None:
    """Take a tag away, and the image with the last one; one that a container uses stays."""
    answer = request(run, "DELETE", f"/images/{reference}", {"force": 0})
    if not answer.ok and answer.status not in (404, 409):
        raise StepFailed(f"remove image {reference}: Docker says: {answer.message}", "run again")


def _tag(run: Run, source: str, repository: str, tag: str) -> None:
    query: dict[str, object] = {"repo": repository, "tag": tag}
    must(run, "POST", f"/images/{source}/tag", f"tag {repository}:{tag}", query=query)


def _explain(run: Run, end: StreamEnd, image: str, registry: str) -> StepFailed:
    text = end.error.lower()
    if end.stalled:
        return StepFailed(
            f"the pull of {image} stalled: no byte for {run.stack.pull_stall} s",
            "run again: the layers that are complete are kept",
        )
    if "no space left" in text:
        return StepFailed(f"the disk is full ({end.error})", "free some space and run again")
    meanings = {
        401: ("unauthorized", "pull access denied", "authentication required", "denied"),
        404: ("manifest unknown", "not found", "404"),
        429: ("toomanyrequests", "too many requests", "429"),
        500: ("500 internal", "502", "503", "504", "received unexpected http status: 5"),
    }
    for status, words in meanings.items():
        if any(word in text for word in words):
            known = fault(status, f"image {image}", registry, end.error, "image")
            return StepFailed(known.cause, known.remedy)
    known = fault(0, f"image {image}", registry, end.error, "image")
    return StepFailed(known.cause, known.remedy)
