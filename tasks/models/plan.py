"""What has to happen to the models of a service. Pure.

A model that an upgrade replaces is first copied to NAME-replaced, which costs no disk, since Ollama
deletes the layers of a tag that a pull moves. Once the new one is proven, that copy becomes
NAME-previous, for a rollback. So a NAME-replaced that is there tells of an upgrade that was
interrupted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tasks.containers.observed import ServedModel
from tasks.declared.stack import KEPT, REPLACED, Service
from tasks.words.digests import short
from tasks.words.steps import Action, Step

Held = Mapping[str, ServedModel]


@dataclass(frozen=True)
class WantedModels:
    """What the plan of a service's models starts from, besides what its server holds.

    `digests` are the manifest digests to hold to, by model; `proven` those that the lock holds;
    `previous` those that are to be kept for a rollback. `gpu_proven` are the models that ran on the
    GPU as far as is declared when they were proven, `unknown` those that were proven before anybody
    looked at what they can do. `is_upgrade`: a model that is another one is
    replaced so that it can come back. `may_remove`: models that the lock knows and nobody declares
    any more go. `pull_names` are the names under which models arrive, where they are others than
    the declared ones. `needs` names the earlier stage that has to bring the engine up.
    """

    service: Service
    digests: Mapping[str, str] = field(default_factory=dict)
    proven: Mapping[str, str] = field(default_factory=dict)
    previous: Mapping[str, str] = field(default_factory=dict)
    gpu_proven: Collection[str] = ()
    unknown: Collection[str] = ()
    is_upgrade: bool = False
    may_remove: bool = False
    pull_names: Collection[str] = ()
    needs: str = ""


@dataclass(frozen=True)
class ModelTarget:
    """A model of a service, and the manifest digest that it is held to; "" for any."""

    service: Service
    model: str
    digest: str = ""


def plan_models(
    wanted: WantedModels, held: Held | None, *, container_changed: bool, container_proven: bool
) -> list[Step]:
    """Plan the models of one active service.

    `held` are the models on its volume (None where nobody can tell before it runs). After any
    change a generation has to prove the service; and until one ran on the GPU, where that is
    required.
    """
    service = wanted.service
    if not service.active:
        return []
    steps: list[Step] = []
    changed = set()
    for model in service.models:
        changes = list(_plan_model(wanted, model, held))
        steps += changes
        if changes or wanted.digests.get(model, "") != wanted.proven.get(model, ""):
            changed.add(model)
    to_prove = _to_prove(wanted, changed, container_changed, container_proven)
    for model, why in to_prove.items():
        text = f"prove {model} by a generation"
        steps.append(_step(wanted, Action.PROVE_MODEL, model, text, why))
    if not wanted.is_upgrade and held is not None and any(copies(wanted, held)):
        text, why = f"tidy the models of {service.name}", "copies that are not kept any more"
        steps.append(_step(wanted, Action.TIDY_MODELS, service.name, text, why))
    if wanted.may_remove:
        for model in outlived(wanted, held or {}):
            text = f"remove model {model}"
            steps.append(_step(wanted, Action.REMOVE_MODEL, model, text, "no longer declared"))
    return steps


def _to_prove(
    wanted: WantedModels, changed: Collection[str], container_changed: bool, container_proven: bool
) -> dict[str, str]:
    """Return the models that have to prove themselves, and why."""
    service, main = wanted.service, wanted.service.model
    found: dict[str, str] = {}
    for model in service.models:
        if model in changed:
            found[model] = "it is new here"
        elif not wanted.proven.get(model) and not (container_proven and model == main):
            found[model] = "it was never proven here"
    if container_changed and not container_proven and main not in found:
        found = {main: "its container changed", **found}
    elif wanted.is_upgrade and not container_proven:
        found.setdefault(main, "the lock moves only to what was proven")
    for model in service.models:
        if model in wanted.unknown and not (container_proven and model == main):
            found.setdefault(model, "nobody looked at what it can do yet")
    if service.gpu == "required" and main not in wanted.gpu_proven:
        found.setdefault(main, "the GPU is required, and it was not proven there yet")
    return found


def _plan_model(wanted: WantedModels, model: str, held: Held | None) -> Iterator[Step]:
    digest = wanted.digests.get(model, "")
    if held is None:
        text, why = f"pull {model} if it is not there", "its volume cannot be read before it runs"
        yield _step(wanted, Action.PULL_MODEL, model, text, why)
        return
    found = held.get(model)
    if found is None:
        yield _step(wanted, Action.PULL_MODEL, model, f"pull {model}", "not here yet")
    elif is_another(found, digest) and wanted.is_upgrade:
        text = f"keep {model} as {model}{REPLACED}"
        yield _step(wanted, Action.KEEP_MODEL, model, text, "until the new one is proven")
        why = f"digest {short(found.digest)} → {short(digest)}"
        if is_copied(model, digest, held):
            yield _step(wanted, Action.RESTORE_MODEL, model, f"bring {model} back", why)
        else:
            yield _step(wanted, Action.UPGRADE_MODEL, model, f"pull the new {model}", why)
    elif is_another(found, digest):
        why = f"digest {short(found.digest)} is not the proven {short(digest)}"
        yield _step(wanted, Action.RESTORE_MODEL, model, f"restore {model}", why)


def is_another(found: ServedModel, digest: str) -> bool:
    """Tell whether a model that is there is not the one that it is held to; "": to none."""
    return bool(digest) and found.digest != digest


def is_copied(model: str, digest: str, held: Held) -> bool:
    """Tell whether a kept copy of a model has this digest, so that nothing is to be pulled."""
    found = (held.get(model + end) for end in (REPLACED, KEPT))
    return any(kept is not None and kept.digest == digest for kept in found)


def _step(wanted: WantedModels, action: Action, subject: str, text: str, why: str) -> Step:
    target = ModelTarget(wanted.service, subject, wanted.digests.get(subject, ""))
    return Step(action, subject, text, why, wanted.service.name, wanted.needs, target)


@dataclass(frozen=True)
class Copy:
    """One change of the copies: `source` copied to `name`, or `name` deleted where it is ""."""

    name: str
    source: str = ""


def copies(wanted: WantedModels, held: Held) -> Iterator[Copy]:
    """Tell how the copies of proven models become as they should be: no step where they are.

    NAME-previous holds the digest that the lock says was proven before, if it is to be kept and is
    here; NAME-replaced is there only while an upgrade is under way, the name at a registry only
    while a model arrives.
    """
    yield from (Copy(name) for name in wanted.pull_names if name in held)
    for model in wanted.proven:
        replaced, kept = held.get(model + REPLACED), held.get(model + KEPT)
        is_declared = model in wanted.service.models
        target = wanted.previous.get(model, "") if is_declared else ""
        is_kept = kept is not None and kept.digest == target
        if kept is not None and not is_kept:
            yield Copy(kept.name)
        if target and not is_kept and replaced is not None and replaced.digest == target:
            yield Copy(model + KEPT, replaced.name)
        if replaced is not None:
            yield Copy(replaced.name)


def names(service: Service, proven: Iterable[str]) -> list[str]:
    """Return every model that may have copies of ours: the declared ones and the proven ones."""
    return list(dict.fromkeys([*service.models, *proven]))


def undeclared(service: Service, held: Held) -> list[str]:
    """Return the models that a server holds and nobody declared; they are left alone."""
    ours = {name + end for name in service.models for end in ("", KEPT, REPLACED)}
    return sorted(set(held) - ours)


def outlived(wanted: WantedModels, held: Held) -> list[str]:
    """Return the models that this stack once proved, and their copies, that nobody declares now."""
    gone = [model for model in wanted.proven if model not in wanted.service.models]
    names = (model + end for model in gone for end in ("", KEPT, REPLACED))
    return [name for name in names if name in held]
