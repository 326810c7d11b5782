"""The proof that a service works: a real generation; what it proved goes into the lock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from tasks.containers.facts import held_now, observe, server_now
from tasks.containers.observed import ServedModel, held_models
from tasks.declared.stack import Service
from tasks.records.proven import Proven
from tasks.run.entering import enter
from tasks.run.run import Run
from tasks.servers.abilities import Show, needs, show, tried
from tasks.servers.generation import Proof, generate, is_as_declared, is_slower, unload_model
from tasks.servers.gpu_memory import MIB
from tasks.shell.engine_api import ask
from tasks.words.digests import short
from tasks.words.failures import StepFailed
from tasks.words.foreign import BadAnswer

TAGS = "/api/tags"
# Servers of old do not tell what a model can do; this one just generated.
OLD_SHOW = Show(frozenset({"completion"}))


def prove_service(run: Run, service: Service) -> None:
    """Prove a server by its main model, or by any that it has; by its answer where it has none."""
    model = _model_to_ask(service, held_now(run, service))
    if not model:
        run.teller.log(f"  {service.name} answers; it holds no model yet")
        return
    prove_model(run, service, model)


def verify_service(run: Run, service: Service, url: str) -> None:
    """See that what was put back generates again, at its own address. Raises StepFailed."""
    model = _model_to_ask(service, _held_at(run, url))
    if model:
        name, limit = run.stack.container_name(service), run.stack.generate_timeout
        proof = generate(run.shell, url, model, name, limit=limit, unload=True)
        run.teller.log(f"  {model} generated {proof.finding} again")


def _held_at(run: Run, url: str) -> Mapping[str, ServedModel]:
    answer = ask(run.shell, url + TAGS)
    try:
        return held_models(answer.fields.value)
    except BadAnswer:
        cause = f"its server at {url} does not tell what models it has: {answer.message}"
        raise StepFailed(cause, "run again when it answers") from None


def _model_to_ask(service: Service, held: Mapping[str, ServedModel]) -> str:
    return service.model if service.model in held else next(iter(held), "")


def prove_model(run: Run, service: Service, model: str) -> None:
    """Generate with a model and see where it ran. Raises StepFailed.

    What the proof loaded it unloads again; a model that was in memory before stays there.
    """
    before = server_now(run, service)
    was_loaded = any(m.name == model for m in before.loaded)
    told = show(run.shell, service.url, model) or OLD_SHOW
    asked = needs(run.stack, service, model) & told.abilities
    limit = run.stack.generate_timeout
    proof = generate(
        run.shell,
        service.url,
        model,
        run.stack.container_name(service),
        limit=limit,
        unload=not was_loaded,
        only_embeds=told.only_embeds,
        keep=bool(asked),
    )
    missed = tried(run.shell, service.url, model, asked, limit)
    if asked and not was_loaded:
        unload_model(run.shell, service.url, model)
    _judge(run, service, proof)
    run.teller.proofs[service.name] = (proof.verdict, proof.rate)
    _enter(run, service, proof, told, missed)


def _judge(run: Run, service: Service, proof: Proof) -> None:
    """Act on where the model ran: "required" fails, "auto" says it; an upgrade keeps the GPU."""
    run.teller.log(f"  {proof.model} generated {proof.finding}")
    had_gpu = service.name in run.held.goals and proof.model in run.held.locked(service).gpu_models
    fault = objection(proof, service, had_gpu=had_gpu)
    if fault is not None:
        raise fault
    if service.gpu != "off" and run.decided.gpu_is_usable and not is_as_declared(proof, service):
        run.teller.note(
            f"{service.name}: {proof.model} ran on {proof.verdict}, not wholly on the GPU"
        )
    known = run.held.locked(service).rate(proof.model, proof.verdict)
    if is_slower(proof, known):
        run.teller.note(
            f"{service.name}: {proof.model} made {proof.rate:.0f} tokens/s on {proof.verdict},"
            f" and {known:.0f} when it was proven: see what else uses this machine"
        )


def objection(proof: Proof, service: Service, *, had_gpu: bool) -> StepFailed | None:
    """Return why a generation that worked is not good enough for its service.

    `had_gpu`: the model ran wholly on the GPU before the upgrade that is being proven.
    """
    gpu = service.gpu
    if gpu == "off" or is_as_declared(proof, service):
        return None
    if proof.memory is not None and proof.is_unproven and gpu == "required":
        return StepFailed(
            f"{proof.model}: its server says that it ran on the GPU, and the memory of the GPU did"
            f" not grow by it ({proof.memory.grown:+d} of {proof.memory.claimed // MIB} MiB)",
            "see `nvidia-smi` while it generates, and sudo dmesg | grep NVRM; a reboot mends a"
            " driver that lost its card",
        )
    if gpu == "required":
        return StepFailed(
            f'{proof.model} ran on {proof.verdict} and gpu = "required" asks for all of it',
            "see `nvidia-smi` for what else uses the card; ./main.sh plan shows what fits;"
            ' or declare gpu_partial = true or gpu = "auto"',
        )
    if had_gpu:
        return StepFailed(
            f"{proof.model} ran on the GPU before, and on {proof.verdict} after the upgrade",
            "see `nvidia-smi` for what else uses the card; the release notes of the image may name"
            " a larger need of memory",
        )
    return None


def _held_to(run: Run, service: Service, model: str) -> list[str]:
    """Return the digests that a model may have when it is proven: the one that it is held to, and
    in an upgrade, where the new image is proven first, the one that the lock has yet."""
    wanted = run.held.model_digests(service).get(model, "")
    before = (
        run.held.locked(service).model_digests.get(model, "")
        if service.name in run.held.goals
        else ""
    )
    return [digest for digest in (wanted, before) if digest]


def _other_digest(kind: str, name: str, known: str, found: str) -> StepFailed:
    """Say that what generated is not what the lock holds to: it does not get there by a proof."""
    return StepFailed(
        f"the {kind} {name} that generated is {short(found)}, and it is held to {short(known)}",
        "run again: what differs is restored; to accept another one, upgrade",
    )


def _enter(run: Run, service: Service, proof: Proof, told: Show, missed: set[str]) -> None:
    """Enter the image and the model that were just proven into the lock.

    In an upgrade they wait until all of the service is proven: the lock moves in one step.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    snapshot = observe(run)
    container = snapshot.named(run.stack.container_name(service))
    found = snapshot.images.get(container.image_id) if container else None
    image = None
    if found is not None and found.digests:
        known = run.held.image_digest(service)
        if known and known not in found.digests:
            raise _other_digest("image", service.image, known, found.digests[0])
        image = Proven(service.image, known or found.digests[0], now, size=found.size)
    held = snapshot.server(service.name).models.get(proof.model)
    models = {}
    if held is not None and proof.model in service.models:
        wanted = _held_to(run, service, held.name)
        if wanted and held.digest not in wanted:
            raise _other_digest("model", held.name, wanted[0], held.digest)
        models[held.name] = Proven(
            held.name,
            held.digest,
            now,
            proof.verdict,
            held.size,
            round(proof.rate, 1),
            tuple(sorted(told.abilities)),
            tuple(sorted(missed)),
            told.trained_context,
        )
    goal = run.held.goals.get(service.name)
    if goal is not None:
        run.held = run.held.with_goal(service.name, goal.with_proven(image, models))
    else:
        enter(run, service, image, models)
