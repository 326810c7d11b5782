"""What a run would download: whether the registries have it, and whether the disk holds it."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from tasks.declared.stack import Stack
from tasks.host.facts import observe_host
from tasks.registry.lookups import image_of, model_of
from tasks.registry.manifests import RegistryFault
from tasks.run.run import Run
from tasks.words.failures import Failure
from tasks.words.numbers import bytes_text
from tasks.words.steps import Action, Step

# Layers of an image are compressed at the registry; unpacked they take about this many times more.
UNPACKED = 2.5
DOWNLOADS = (Action.PULL_IMAGE, Action.PULL_MODEL, Action.UPGRADE_MODEL)
GB = 10**9


def check_downloads(run: Run, steps: list[Step]) -> None:
    """Look up everything that the plan pulls; note as failures what cannot be had.

    A missing image or model is a failure of its service alone; a disk that is too small is one of
    the whole host, since nobody can tell which service should do without.
    """
    needed = 0.0
    seen: set[str] = set()
    for step in steps:
        if step.action not in DOWNLOADS:
            continue
        service = next(s for s in run.stack.services if s.name == step.service)
        is_image = step.action is Action.PULL_IMAGE
        found = image_of(run, service) if is_image else model_of(run, step.subject)
        if isinstance(found, RegistryFault):
            if not run.teller.has_failed(service.name):
                failure = Failure(f"{step.text}: not possible", found.cause, found.remedy)
                run.teller.fail(Failure(failure.what, failure.cause, failure.remedy, service.name))
        elif not is_image or step.subject not in seen:
            seen.add(step.subject)
            needed += found.size * (UNPACKED if is_image else 1)
    if any(step.action in (Action.PULL_MODEL, Action.UPGRADE_MODEL) for step in steps):
        for note in proxy_notes(observe_host(run).proxies, run.stack):
            run.teller.note(note)
    failure_of_disk = disk_failure(
        needed, observe_host(run).disk_free, run.stack.disk_reserve_gb, observe_host(run).data_root
    )
    if failure_of_disk is not None:
        run.teller.fail(failure_of_disk)


def proxy_notes(of_host: Collection[str], stack: Stack) -> Iterator[str]:
    """Warn where the host reaches registries through a proxy and the containers would not."""
    if of_host and not (stack.http_proxy or stack.https_proxy):
        names = " and ".join(of_host)
        yield (
            f"this host's programs use a proxy ({names}), the containers do not, and they pull the"
            f" models: set {names} in stack.toml"
        )


def disk_failure(needed: float, free: int | None, reserve_gb: float, path: str) -> Failure | None:
    """Return why the disk is too small (fault 13); bytes. None where it is not, or nobody knows."""
    wanted = needed + reserve_gb * GB
    if not needed or free is None or free >= wanted:
        return None
    return Failure(
        "the disk is too small for what is to be pulled",
        f"{bytes_text(needed)} are needed and {bytes_text(reserve_gb * GB)} are to stay free,"
        f" {bytes_text(free)} are free at {path}",
        "free some space (docker system df shows what Docker uses), declare smaller models, or"
        " lower disk_reserve_gb",
    )
