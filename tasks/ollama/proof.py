"""The proof that a service works: a real generation; what it proved goes into the lock."""

from __future__ import annotations

from datetime import UTC, datetime

from tasks.lockfile import Proven
from tasks.ollama.facts import observe, observe_afresh
from tasks.ollama.generation import Proof, generate
from tasks.run import Run
from tasks.stack import Service
from tasks.steps import StepFailed


def prove_service(run: Run, service: Service) -> None:
    """Prove a server by its main model, or by any that it has; by its answer where it has none."""
    held = observe_afresh(run).server(service.name).models
    model = service.model if service.model in held else next(iter(held), "")
    if not model:
        run.log(f"  {service.name} answers; it holds no model yet")
        return
    prove_model(run, service, model)


def prove_model(run: Run, service: Service, model: str) -> None:
    """Generate with a model and see where it ran. Raises StepFailed.

    What the proof loaded it unloads again; a model that was in memory before stays there.
    """
    before = observe_afresh(run).server(service.name)
    was_loaded = any(m.name == model for m in before.loaded)
    proof = generate(
        run,
        service,
        model,
        run.stack.container_name(service),
        limit=run.stack.generate_timeout,
        unload=not was_loaded,
    )
    _judge(run, service, proof)
    run.proofs[service.name] = proof
    _enter(run, service, proof)


def _judge(run: Run, service: Service, proof: Proof) -> None:
    """Act on where the model ran: "required" fails, "auto" says it."""
    rate = f", {proof.rate:.0f} tokens/s" if proof.rate else ""
    run.log(f"  {proof.model} generated {proof.tokens} tokens on {proof.verdict}{rate}")
    if proof.verdict == "GPU" or service.gpu == "off":
        return
    if service.gpu == "required":
        raise StepFailed(
            f'{proof.model} ran on {proof.verdict} and gpu = "required" asks for all of it',
            "see `nvidia-smi` for what else uses the card; a smaller context or model may fit;"
            ' or declare gpu = "auto"',
        )
    if run.gpu_is_usable:
        run.note(f"{service.name}: {proof.model} runs on {proof.verdict}, not wholly on the GPU")


def _enter(run: Run, service: Service, proof: Proof) -> None:
    """Enter the image and the model that were just proven into the lock."""
    if run.lock is None:
        return
    now = datetime.now(UTC).isoformat(timespec="seconds")
    snapshot = observe(run)
    container = snapshot.named(run.stack.container_name(service))
    image = snapshot.images.get(container.image_id) if container else None
    host = run.host.name
    if image is not None and image.digests:
        known = run.lock.image_digest(host, service.name, service.image)
        digest = known if known in image.digests else image.digests[0]
        run.lock.put_image(host, service.name, Proven(service.image, digest, now))
    held = snapshot.server(service.name).models.get(proof.model)
    if held is not None and proof.model in service.models:
        proven = Proven(proof.model, held.digest, now, proof.verdict)
        run.lock.put_model(host, service.name, proof.model, proven)
