"""Getting the image of a service onto the host: by its proven digest, where there is one."""

from __future__ import annotations

import shlex

from tasks.engine_api import engine
from tasks.ollama.apply import must
from tasks.ollama.facts import observe
from tasks.registry import fault
from tasks.run import Run
from tasks.stack import Service
from tasks.steps import Step, StepFailed
from tasks.streams import ImageProgress, StreamEnd, follow


def pull_image(run: Run, step: Step, service: Service) -> None:
    """Pull the declared image; by its proven digest where the lock holds one. Raises StepFailed."""
    image = run.stack.image_reference(service)
    digest = ""
    if run.lock is not None:
        digest = run.lock.image_digest(run.host.name, service.name, service.image)
    if str(image) in observe(run).images and not digest:
        return
    query: dict[str, object] = {"fromImage": image.name, "tag": digest or image.tag}
    to_engine = ["--noproxy", "*", "--unix-socket", run.stack.docker_socket]
    command = shlex.join(["curl", "-sS", *to_engine, "-X", "POST", engine("/images/create", query)])
    end = follow(run, command, "", ImageProgress(), what=str(image), stall=run.stack.pull_stall)
    if not end.ok:
        raise _explain(run, end, str(image), image.registry)
    if digest:
        tag: dict[str, object] = {"repo": image.name, "tag": image.tag}
        must(run, "POST", f"/images/{image.name}@{digest}/tag", f"tag {image}", query=tag)


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
