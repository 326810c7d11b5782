"""What has to happen to the models of a service. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tasks.ollama.observed import ServedModel
from tasks.stack import Service
from tasks.steps import Action, Step

KEPT = "-previous"


def kept_name(model: str) -> str:
    """Return the name under which the copy before a pull is kept."""
    return f"{model}{KEPT}"


def plan_models(
    service: Service,
    held: Mapping[str, ServedModel] | None,
    proven: Mapping[str, str],
    *,
    gpu_proven: Collection[str] = (),
    container_changed: bool,
    container_proven: bool,
    needs: str = "",
) -> list[Step]:
    """Plan the models of one active service.

    `held` are the models on its volume (None where nobody can tell before it runs), `proven` the
    digests of the lock by model, `gpu_proven` the models that ran wholly on the GPU then. After any
    change a generation has to prove the service; and until one ran on the GPU, where that is
    required.
    """
    if not service.active:
        return []
    steps: list[Step] = []
    to_prove: list[tuple[str, str]] = []
    for model in service.models:
        step = _plan_model(service.name, model, held, proven.get(model, ""), needs)
        if step is not None:
            steps.append(step)
            to_prove.append((model, "it is new here"))
        elif not proven.get(model) and not (container_proven and model == service.model):
            to_prove.append((model, "it was never proven here"))
    main = service.model
    if container_changed and not container_proven and main not in dict(to_prove):
        to_prove.insert(0, (main, "its container changed"))
    if service.gpu == "required" and main not in gpu_proven and main not in dict(to_prove):
        to_prove.append((main, "the GPU is required, and it was not proven there yet"))
    for model, why in to_prove:
        text = f"prove {model} by a generation"
        steps.append(Step(Action.PROVE_MODEL, model, text, why, service.name, needs))
    return steps


def _plan_model(
    service: str, model: str, held: Mapping[str, ServedModel] | None, digest: str, needs: str
) -> Step | None:
    if held is None:
        text = f"pull {model} if it is not there"
        why = "its volume cannot be read before it runs"
        return Step(Action.PULL_MODEL, model, text, why, service, needs)
    found = held.get(model)
    if found is None:
        return Step(Action.PULL_MODEL, model, f"pull {model}", "not here yet", service, needs)
    if digest and found.digest != digest:
        why = f"digest {found.digest[7:19]} is not the proven {digest[7:19]}"
        return Step(Action.RESTORE_MODEL, model, f"restore {model}", why, service, needs)
    return None


def undeclared(service: Service, held: Mapping[str, ServedModel]) -> list[str]:
    """Return the models that a server holds and nobody declared; they are left alone."""
    ours = {name for model in service.models for name in (model, kept_name(model))}
    return sorted(set(held) - ours)
