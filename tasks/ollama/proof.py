"""The proof that a service works: a real generation, and where it ran."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from tasks.engine_api import Answer, answers, curl
from tasks.lockfile import Proven
from tasks.ollama.facts import observe
from tasks.ollama.observed import LoadedModel, ObservedServer, Snapshot
from tasks.run import Run
from tasks.stack import Service
from tasks.steps import StepFailed

PROMPT = "Say ok."
TOKENS = 8
# The proof loads the model for this long, looks where it is, and unloads it again.
HOLD = "1m"


@dataclass(frozen=True)
class Proof:
    """What a generation showed. `gpu_share` is 0 to 1, `rate` tokens a second."""

    model: str
    tokens: int
    rate: float
    gpu_share: float

    @property
    def verdict(self) -> str:
        """Name where the model ran: "GPU", "CPU" or "GPU 43 %"."""
        if self.gpu_share >= 0.999:
            return "GPU"
        return f"GPU {self.gpu_share:.0%}" if self.gpu_share else "CPU"


def prove_service(run: Run, service: Service) -> None:
    """Prove a server by its main model, or by any that it has; by its answer where it has none."""
    held = observe_afresh(run).server(service.name).models
    model = service.model if service.model in held else next(iter(held), "")
    if not model:
        run.log(f"  {service.name} answers; it holds no model yet")
        return
    prove_model(run, service, model)


def observe_afresh(run: Run) -> Snapshot:
    """Look at the host again, whatever was seen before."""
    run.memory.clear()
    return observe(run)


def prove_model(run: Run, service: Service, model: str) -> Proof:
    """Generate with a model and see where it ran. Raises StepFailed.

    What the proof loaded it unloads again; a model that was in memory before stays there.
    """
    before = observe_afresh(run).server(service.name)
    was_loaded = any(m.name == model for m in before.loaded)
    found = _generate(run, service, model, unload=not was_loaded)
    reply = found.get(f"{service.url}/api/generate", Answer("", 0, ""))
    value = reply.json if isinstance(reply.json, dict) else {}
    tokens = int(value.get("eval_count") or 0)
    if not reply.ok or not value.get("done") or tokens < 1:
        cause = reply.message if not reply.ok else "the answer was empty"
        raise StepFailed(f"{model} did not generate: {cause}", _remedy(run, service, model, reply))
    duration = int(value.get("eval_duration") or 0) / 1e9
    loaded = ObservedServer.from_answers(
        {"version": before.version or "?"}, None, found[f"{service.url}/api/ps"].json
    ).loaded
    proof = Proof(model, tokens, tokens / duration if duration else 0.0, _share(model, loaded))
    _judge(run, service, proof)
    run.proofs[service.name] = proof
    _enter(run, service, model)
    return proof


def _share(model: str, loaded: tuple[LoadedModel, ...]) -> float:
    return next((m.gpu_share for m in loaded if m.name == model), 0.0)


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


def _generate(run: Run, service: Service, model: str, *, unload: bool) -> dict[str, Answer]:
    limit = run.stack.generate_timeout
    body = {
        "model": model,
        "prompt": PROMPT,
        "stream": False,
        "keep_alive": HOLD,
        "options": {"num_predict": TOKENS},
    }
    generate = f"{service.url}/api/generate"
    script = [
        curl([generate], method="POST", timeout=limit, has_body=True),
        curl([f"{service.url}/api/ps"], timeout=10),
    ]
    result = run.sh("; ".join([*script, "true"]), stdin=json.dumps(body), timeout=limit + 30)
    if unload:
        farewell = json.dumps({"model": model, "keep_alive": 0})
        run.sh(curl([generate], method="POST", timeout=30, has_body=True), stdin=farewell)
    return {generate: Answer(generate, 0, result.stderr), **answers(result.stdout)}


def _remedy(run: Run, service: Service, model: str, reply: Answer) -> str:
    log = f"`docker logs {run.stack.container_name(service)}` tells more"
    if not reply.status:
        return f"{log}; a longer generate_timeout helps a slow machine"
    if reply.status == 404:
        return "run again: the model is pulled anew"
    return f"{log}; declare another model or image, and run again"


def _enter(run: Run, service: Service, model: str) -> None:
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
    held = snapshot.server(service.name).models.get(model)
    if held is not None and model in service.models:
        run.lock.put_model(host, service.name, model, Proven(model, held.digest, now))
