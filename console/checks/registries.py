"""The registries: whether they answer, and whether what was proven moved there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from console.checks.finding import Check, notable, well
from console.checks.looked import Looked
from tasks.declared.references import DOCKER_HUB, OLLAMA_REGISTRY
from tasks.declared.stack import Service
from tasks.records.proven import ServiceLock
from tasks.registry.manifests import RegistryFault, RemoteManifest, image_for, look_up_model
from tasks.registry.newer import newer

Found = RemoteManifest | RegistryFault


@dataclass(frozen=True)
class Question:
    """What a service has from a registry; `is_here`: nothing has to be pulled."""

    registry: str
    what: str
    is_here: bool
    ask: Callable[[], Found]


def registry_checks(looked: Looked) -> Iterator[Check]:
    """Ask for everything that is declared; a registry that does not answer is asked once."""
    found: dict[str, list[tuple[Question, Found]]] = {}
    for question in questions(looked):
        asked = found.setdefault(question.registry, [])
        if not any(isinstance(f, RegistryFault) and f.is_unreachable for _, f in asked):
            asked.append((question, question.ask()))
    for registry, answers in found.items():
        yield from of_registry(registry, answers)
    for service in looked.stack.services:
        if service.active:
            yield from moved_checks(looked, service, looked.proven(service))


def questions(looked: Looked) -> Iterator[Question]:
    """Return what to ask for: the images and the models of active services, each once."""
    stack, snapshot, seen = looked.stack, looked.snapshot, set[str]()
    for service in (s for s in stack.services if s.active):
        held = snapshot.models(service.name) or {}
        image = str(stack.image_reference(service))
        if image not in seen:
            seen.add(image)
            registry = stack.image_reference(service).registry
            yield Question(
                "Docker Hub" if registry == DOCKER_HUB else registry,
                f"image {image}",
                image in snapshot.images,
                partial(image_for, looked.asker, service),
            )
        for model in service.models:
            if model not in seen:
                seen.add(model)
                yield Question(
                    stack.model_registry or OLLAMA_REGISTRY,
                    f"model {model}",
                    model in held,
                    partial(look_up_model, looked.asker, model),
                )


def of_registry(registry: str, answers: list[tuple[Question, Found]]) -> Iterator[Check]:
    """Judge one registry: what cannot be had matters where it is not here (faults 17, 25, 37)."""
    what = f"registry {registry}"
    faults = [(question, found) for question, found in answers if isinstance(found, RegistryFault)]
    for question, fault in faults:
        is_well = question.is_here or fault.is_unreachable
        serves = "; what is here goes on serving" if is_well else ""
        yield Check(what, is_well, f"{fault.cause}{serves}", fault.remedy, is_notable=is_well)
    if not faults:
        yield well(what, f"it has what is declared of it ({len(answers)})")


def moved_checks(looked: Looked, service: Service, proven: ServiceLock) -> Iterator[Check]:
    """Say which proven tags are another image or model at the registry now (fault 16)."""
    for what in newer(looked.stack, service, proven, looked.asker.manifests):
        finding = f"upgrade available: {what}; nothing is replaced without an upgrade"
        yield notable(f"{service.name}: tag", finding, f"./main.sh upgrade {service.name}")
