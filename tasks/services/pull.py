"""Getting a model into a server: pull with progress, restore, and what errors mean."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass

from tasks.containers.facts import held_now
from tasks.declared.references import OLLAMA_REGISTRY
from tasks.declared.stack import KEPT, REPLACED, Service, Stack
from tasks.models.plan import ModelTarget
from tasks.registry.asker import asker_of
from tasks.registry.manifests import RegistryFault, RemoteManifest, fault, model_manifest
from tasks.run.run import Run
from tasks.run.streams import ModelProgress, StreamEnd, follow
from tasks.services.copies import copy, delete
from tasks.services.moved import Moved
from tasks.shell.curl import streaming
from tasks.words.digests import short
from tasks.words.failures import StepFailed
from tasks.words.numbers import bytes_text
from tasks.words.steps import Step

# A damaged download is taken from the registry once more, not for ever.
DAMAGE_RETRIES = 1


@dataclass(frozen=True)
class PullFault:
    """What an error of a pull means. `again` tells whether a further try can help."""

    cause: str
    remedy: str
    again: bool = False
    is_damage: bool = False


def pull_model(run: Run, step: Step, moved: Moved) -> None:
    """Bring a declared model to its server; nothing is downloaded that is there already."""
    model, digest = step.target.model, step.target.digest
    held = held_now(run, step.target.service).get(model)
    if held is not None and digest in ("", held.digest):
        run.teller.log(f"  {model} is there already")
        return
    replace_model(run, step, moved)


def replace_model(run: Run, step: Step, moved: Moved) -> None:
    """Bring the digest that a model is held to: from a copy that is kept, else from the registry.

    A restored model, an upgrade and a rollback differ only in the digest they are held to.
    """
    target: ModelTarget = step.target
    service, model, digest = target.service, target.model, target.digest
    held = held_now(run, service)
    for kept in (held.get(model + REPLACED), held.get(model + KEPT)):
        if kept is not None and kept.digest == digest:
            copy(run, service, kept.name, model)
            return
    if model not in held:
        moved.arrived.add(model)
    remote = _offered(run, model)
    if digest and remote.digest != digest:
        raise _moved(service, model, digest, remote.digest)
    _pull(run, target, remote)


def _offered(run: Run, model: str) -> RemoteManifest:
    remote = model_manifest(asker_of(run), model)
    if isinstance(remote, RegistryFault):
        raise StepFailed(remote.cause, remote.remedy)
    return remote


def _moved(service: Service, model: str, proven: str, offered: str) -> StepFailed:
    return StepFailed(
        f"the proven {model} ({short(proven)}) is not here, and the registry offers another one now"
        f" ({short(offered)})",
        f"to accept the new one, upgrade: ./main.sh upgrade {service.name} --models (on this"
        f" machine), or pyinfra … deploys/upgrade.py --data only={service.name}",
    )


def _pull(run: Run, target: ModelTarget, remote: RemoteManifest) -> None:
    service, model = target.service, target.model
    name = run.stack.pull_name(model)
    damage, tries = 0, 0
    while True:
        end = _follow(run, service, name, remote.size, model)
        if end.ok:
            break
        found = explain(end, model, run.stack)
        damage += found.is_damage
        tries += not found.is_damage
        if not found.again or damage > DAMAGE_RETRIES or tries > run.stack.pull_retries:
            raise StepFailed(found.cause, found.remedy)
        run.teller.log(f"  {found.cause}; trying again, what is there already is kept")
    if name != model:
        copy(run, service, name, model)
        delete(run, service, name)
    all_held = held_now(run, service)
    held = all_held.get(model)
    if held is None:
        raise absent(run.stack, service, model, all_held)
    if target.digest and held.digest != target.digest:
        raise _another(service, model, target.digest, held.digest)
    if held.digest != remote.digest:
        # Old releases of Ollama write the manifest in their own words; its layers are verified.
        run.teller.log(
            f"  {model} is kept as {short(held.digest)}, offered as {short(remote.digest)}"
        )


def absent(stack: Stack, service: Service, model: str, held: Collection[str]) -> StepFailed:
    """Say what it means that a server does not list a model which it just pulled.

    Nobody can tell why from here: what is damaged has to be found before anything is removed.
    """
    alike = next((name for name in held if name.casefold() == model.casefold()), "")
    if alike:
        return StepFailed(
            f"{model} is there as {alike}: Ollama takes names that differ in case alone for one",
            f'declare it as "{alike}" (models.{service.name}), then run again',
        )
    name = stack.container_name(service)
    return StepFailed(
        f"its server does not list {model} after it was pulled, and does not say why",
        f"`docker restart {name}`, then run again; if it stays so, `docker logs {name}` and"
        f" `docker exec {name} ollama show {model}` tell what is wrong with it",
    )


def _another(service: Service, model: str, held_to: str, came: str) -> StepFailed:
    return StepFailed(
        f"{model} came as {short(came)}, and it is held to {short(held_to)}: the registry changed"
        " it while it was pulled, or sends another one than it offers",
        f"run again; to accept the new one, upgrade: ./main.sh upgrade {service.name} --models",
    )


def _follow(run: Run, service: Service, name: str, size: int, model: str) -> StreamEnd:
    command = streaming(f"{service.url}/api/pull", has_body=True)
    body = json.dumps({"model": name, "insecure": run.stack.model_registry_insecure})
    run.teller.log(f"  {model}: {bytes_text(size)} at the registry")
    return follow(
        run, command, body, ModelProgress(), what=model, stall=run.stack.pull_stall, expected=size
    )


_UNKNOWN = re.compile(r"file does not exist|manifest unknown|not found|\b404\b")
_DAMAGED = re.compile(r"digest mismatch|unexpected EOF|invalid character|unexpected end of JSON")
_NEWER = re.compile(r"requires a newer version|\b412\b")
_FULL = re.compile(r"no space left on device")
_CERTIFICATE = re.compile(r"x509|certificate")
_STATUS = re.compile(r"\b(401|403|429|500|502|503|504)\b")


def explain(end: StreamEnd, model: str, stack: Stack) -> PullFault:
    """Put the end of a pull into words. Source of the texts: Ollama's server/images.go."""
    text = end.error
    registry = stack.model_registry or OLLAMA_REGISTRY
    if end.stalled:
        return PullFault(
            f"the pull of {model} stalled: no byte for {stack.pull_stall} s",
            "run again: it goes on where it stopped; pull_stall allows longer silence",
            again=True,
        )
    if _NEWER.search(text):
        return PullFault(
            f"{model} needs a newer Ollama than the declared image ({text.strip()})",
            "declare a newer image, or an older model",
        )
    if _FULL.search(text):
        return PullFault(
            f"the disk is full ({text.strip()})", "free some space and run again: it goes on"
        )
    if _DAMAGED.search(text):
        return PullFault(
            f"{model} arrived damaged ({text.strip()})",
            "run again; if it stays so, tell whoever runs the registry",
            again=True,
            is_damage=True,
        )
    if _CERTIFICATE.search(text):
        return PullFault(
            f"the container does not trust the registry {registry} ({text.strip()})",
            "name the private CA with ca_certificate; a CA of the host alone is not known inside",
        )
    if _UNKNOWN.search(text):
        known = fault(404, f"model {model}", registry, "", "model")
        return PullFault(known.cause, known.remedy)
    status = _STATUS.search(text)
    if status:
        known = fault(int(status[0]), f"model {model}", registry, text, "model")
        return PullFault(known.cause, known.remedy, again=status[0].startswith("5"))
    return PullFault(
        f"the pull of {model} broke off ({text.strip() or 'connection lost'})",
        "run again: it goes on where it stopped; check http_proxy for the containers",
        again=True,
    )
