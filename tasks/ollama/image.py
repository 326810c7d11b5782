"""Images of a service: pulled by the proven digest where there is one, tagged, kept and dropped.

An image that an upgrade pulls bears a tag of our own, CONTAINER-next, until it is proven, and the
declared tag from the moment at which its container is made. The one before it is kept under
CONTAINER-previous. All tags are in the image's own repository: the engine forgets an image's
digests with the last tag of its repository.
"""

from __future__ import annotations

import shlex

from tasks.engine_api import engine
from tasks.ollama.containers import must, request
from tasks.ollama.facts import observe, observe_afresh
from tasks.ollama.spec import NEXT, PREVIOUS
from tasks.references import ImageReference
from tasks.registry import fault
from tasks.run import Run
from tasks.stack import Service
from tasks.steps import Step, StepFailed
from tasks.streams import ImageProgress, StreamEnd, follow


def pull_image(run: Run, step: Step, service: Service) -> None:
    """Pull the declared image; by the digest to hold to, where one is known. Raises StepFailed.

    In an upgrade it gets a tag of our own first, and what runs keeps the declared one.
    """
    image = run.stack.image_reference(service)
    digest = run.image_digest(service)
    if str(image) in observe(run).images and not digest:
        return
    query: dict[str, object] = {"fromImage": image.name, "tag": digest or image.tag}
    to_engine = ["--noproxy", "*", "--unix-socket", run.stack.docker_socket]
    command = shlex.join(["curl", "-sS", *to_engine, "-X", "POST", engine("/images/create", query)])
    end = follow(run, command, "", ImageProgress(), what=str(image), stall=run.stack.pull_stall)
    if not end.ok:
        raise _explain(run, end, str(image), image.registry)
    if digest:
        container = run.stack.container_name(service)
        tag = container + NEXT if service.name in run.goals else image.tag
        _tag(run, f"{image.name}@{digest}", image.name, tag)


def tag_image(run: Run, step: Step, service: Service) -> None:
    """Give an image that is here the declared tag."""
    image = run.stack.image_reference(service)
    source = observe_afresh(run).image_id(run.image_digest(service))
    if not source:
        raise StepFailed(f"{image} is not here any more", "run again: it is pulled then")
    _tag(run, source, image.name, image.tag)


def tidy_images(run: Run, service: Service) -> None:
    """Bring the tags of a service's images to what the lock says; nothing is done twice.

    The tag of an unfinished upgrade goes, and the declared tag goes back where that upgrade had
    moved it; the image before the present one is kept, if it is to be; a tag that was declared
    before goes, if no container uses it.
    """
    _drop_next(run, service)
    _keep_previous(run, service)
    before = run.locked(service).image
    before = before.previous if before is not None else None
    declared = {str(run.stack.image_reference(s)) for s in run.stack.services}
    if before is not None:
        old = str(ImageReference.parse(before.reference).at(run.stack.image_mirror))
        if old not in declared and not observe(run).uses(old):
            untag(run, old)
    run.memory.clear()


def _drop_next(run: Run, service: Service) -> None:
    snapshot = observe_afresh(run)
    following = snapshot.kept_image(run.stack.container_name(service), NEXT)
    if following is None:
        return
    image = run.stack.image_reference(service)
    tagged = snapshot.images.get(str(image))
    proven = run.locked(service).image_digest(service.image)
    if tagged is not None and tagged.id == following.id and proven not in tagged.digests:
        before = snapshot.image_id(proven) if proven else ""
        if before:
            _tag(run, before, image.name, image.tag)
        elif not snapshot.uses(str(image)):
            untag(run, str(image))
    untag(run, following.reference)


def _keep_previous(run: Run, service: Service) -> None:
    target = run.previous_image(service)
    if target is None:
        return
    snapshot = observe_afresh(run)
    tag = run.stack.container_name(service) + PREVIOUS
    kept = [image for image in snapshot.kept if image.is_for(tag)]
    source = snapshot.image_id(target) if target else ""
    for image in kept:
        # First of all: an image whose tag was given to another one would stay for ever.
        if target not in image.digests:
            untag(run, image.reference)
    before = run.locked(service).image
    is_kept = any(target in image.digests for image in kept)
    if source and not is_kept and before is not None and before.previous is not None:
        repository = ImageReference.parse(before.previous.reference).at(run.stack.image_mirror).name
        _tag(run, source, repository, tag)


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
