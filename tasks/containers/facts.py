"""What is there now, looked at once for all stages between two changes."""

from __future__ import annotations

from collections.abc import Mapping

from tasks.containers.look import look
from tasks.containers.observed import ObservedServer, ServedModel, Snapshot
from tasks.declared.stack import Service
from tasks.run.run import Run
from tasks.words.failures import StepFailed


def observe(run: Run) -> Snapshot:
    """Look at the host, or return what was seen since the last change."""
    return run.seen.once(Snapshot, lambda: look(run.shell, run.stack))


def observe_afresh(run: Run) -> Snapshot:
    """Look at the host again, whatever was seen before."""
    run.seen.forget()
    return observe(run)


def server_now(run: Run, service: Service) -> ObservedServer:
    """Look at the server of a service again. Raises StepFailed where it does not tell what it has:
    no model of it is absent then."""
    seen = observe_afresh(run)
    server = seen.server(service.name)
    cause = seen.unknown_of(service.name)
    if cause or not server.version:
        name = run.stack.container_name(service)
        cause = cause or f"the server of {service.name} does not answer at {service.url}"
        raise StepFailed(cause, f"`docker logs {name}` tells more; run again when it answers")
    return server


def held_now(run: Run, service: Service) -> Mapping[str, ServedModel]:
    """Look at what models a server holds now, by name. Raises StepFailed."""
    return server_now(run, service).models
