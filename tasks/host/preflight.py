"""The first thing of a run on a host: look at it, and find out as whom to act."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tasks.host.access import access
from tasks.host.facts import observe_holders, observe_host
from tasks.host.observed import ObservedHost
from tasks.host.ports import port_faults, taken
from tasks.run.run import Run
from tasks.words.failures import Failure


def preflight(run: Run) -> ObservedHost | None:
    """Look at the host, and see whether changes need sudo there.

    None, with the failure noted, where the run cannot go on.
    """
    host = observe_host(run)
    if run.teller.has_failed(""):
        return None
    decided = access(host)
    run.shell.sudo = decided.kind == "sudo"
    if decided.note:
        run.teller.note(decided.note)
    if decided.failure is not None:
        run.teller.fail(decided.failure)
        return None
    return host


def find_port_faults(run: Run, ours: Iterable[int], published: Mapping[int, str]) -> list[Failure]:
    """Return the faults of taken ports; who holds them is looked up only where one is taken.

    `ours` are the ports that our own running containers publish, `published` the names of other
    running containers by port.
    """
    listening = observe_host(run).listening
    services = taken(run.stack, listening, ours)
    if not services:
        return []
    holders = observe_holders(run, [s.port for s in services])
    return port_faults(run.stack, listening, holders, ours, published)
