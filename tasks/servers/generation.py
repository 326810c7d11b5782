"""A real generation on a server: whether it works, how fast, and where it ran."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.containers.observed import LoadedModel, ObservedServer, loaded_models
from tasks.declared.stack import Service
from tasks.servers.gpu_memory import FUNCTIONS, SECONDS, Memory, measured
from tasks.shell.answers import Answer, answers
from tasks.shell.curl import curl
from tasks.shell.local import Shell
from tasks.words.failures import StepFailed
from tasks.words.foreign import BadAnswer

PROMPT = "Say ok."
TOKENS = 8
UNPROVEN = "GPU (unproven)"
# Below this part of the rate that was proven before, a person is told.
SLOW = 0.5
LEAST_SECONDS = 0.1
# The model is held for this long, so that one can see where it is, and unloaded then.
HOLD = "1m"
WHOLE = 0.999


@dataclass(frozen=True)
class Proof:
    """What a generation showed. `gpu_share` is 0 to 1, `rate` tokens a second.

    `memory` is None where it tells nothing: no card to ask, one whose memory is never quiet, or the
    model was loaded before.
    """

    model: str
    tokens: int
    rate: float
    gpu_share: float
    memory: Memory | None = None

    @property
    def verdict(self) -> str:
        """Name where the model ran: "GPU", "CPU", "GPU 43 %" or "GPU (unproven)"."""
        return UNPROVEN if self.is_unproven else processor(self.gpu_share)

    @property
    def is_unproven(self) -> bool:
        """Tell whether the server says GPU and the card does not bear it out."""
        return bool(self.gpu_share) and self.memory is not None and not self.memory.has_grown

    @property
    def finding(self) -> str:
        """Say in one line what was seen."""
        rate = f", {self.rate:.0f} tokens/s" if self.rate else ""
        memory = f", memory of the GPU {self.memory}" if self.memory is not None else ""
        return f"{self.tokens} tokens on {self.verdict}{rate}{memory}"


def is_as_declared(proof: Proof, service: Service) -> bool:
    """Tell whether a model ran on the GPU as far as its service asks for: wholly, or partly where
    `gpu_partial` allows it."""
    is_part = bool(proof.gpu_share) and not proof.is_unproven
    return proof.verdict == "GPU" or (service.gpu_partial and is_part)


def is_slower(proof: Proof, known: float) -> bool:
    """Tell whether a generation was far slower than the rate that was once proven, in tokens a
    second; one too short to be measured tells nothing."""
    is_measured = bool(proof.rate) and proof.tokens / proof.rate >= LEAST_SECONDS
    return is_measured and proof.rate < known * SLOW


def processor(gpu_share: float) -> str:
    """Name where a model is, from the share of it that is on the GPU; partial is never healthy."""
    if gpu_share >= WHOLE:
        return "GPU"
    return f"GPU {min(99, max(1, round(gpu_share * 100)))} %" if gpu_share else "CPU"


def left_gpu(server: ObservedServer, service: Service, proven: Collection[str]) -> str:
    """Tell of a loaded model that is not wholly on the GPU any more, "" where there is none.

    `proven` are those that once ran wholly on the GPU (faults 2 and 3).
    """
    loaded = {model.name: model for model in server.loaded}
    for name in service.models if service.gpu != "off" else ():
        model = loaded.get(name)
        if model is None or name not in proven or (service.gpu_partial and model.gpu_share):
            continue
        if processor(model.gpu_share) != "GPU":
            return f"{name} is on {processor(model.gpu_share)} now, and was on the GPU when proven"
    return ""


def generate(
    shell: Shell,
    server: str,
    model: str,
    container: str,
    *,
    limit: int,
    unload: bool,
    only_embeds: bool = False,
    keep: bool = False,
) -> Proof:
    """Generate a few tokens and see where the model is; once more where the card says otherwise.

    What others give back while it loads (its server may make room for it) hides its growth where
    the card tells of no processes; they have left then. `only_embeds`: it is asked for a vector
    instead. With `keep` it stays in memory for what follows, until `unload_model`. Raises
    StepFailed.
    """
    ask = _Question(server, model, limit, only_embeds=only_embeds)
    proof = _generate(shell, ask, container, unload=unload, keep=keep)
    if proof.is_unproven:
        unload_model(shell, server, model)
        proof = _generate(shell, ask, container, unload=unload, keep=keep)
    return proof


def unload_model(shell: Shell, server: str, model: str) -> None:
    """Take a model out of memory."""
    farewell = json.dumps({"model": model, "keep_alive": 0})
    url = f"{server}/api/generate"
    shell.sh(curl([url], method="POST", timeout=30, has_body=True), stdin=farewell)


@dataclass(frozen=True)
class _Question:
    """What is asked of a server, by its URL; `limit` is in seconds, loading included."""

    server: str
    model: str
    limit: int
    only_embeds: bool

    @property
    def url(self) -> str:
        return f"{self.server}/api/{'embed' if self.only_embeds else 'generate'}"

    @property
    def body(self) -> dict[str, Any]:
        asked = {"model": self.model, "stream": False, "keep_alive": HOLD}
        if self.only_embeds:
            return {**asked, "input": PROMPT}
        return {**asked, "prompt": PROMPT, "options": {"num_predict": TOKENS}}

    def tokens(self, value: Mapping[str, Any]) -> int:
        """Return how many tokens an answer holds, 0 where it is none."""
        if self.only_embeds:
            return int(value.get("prompt_eval_count") or 1) if value.get("embeddings") else 0
        return int(value.get("eval_count") or 0) if value.get("done") else 0


def _generate(shell: Shell, asked: _Question, container: str, *, unload: bool, keep: bool) -> Proof:
    """Ask, and see where the model is. Raises StepFailed.

    `container` is the name for its remedies; `unload`: the model was not in memory before, and is
    taken out again.
    """
    url, loaded_url, model = asked.url, f"{asked.server}/api/ps", asked.model
    ask = curl([url], method="POST", timeout=asked.limit, has_body=True)
    script = f"{ask}; {curl([loaded_url], timeout=10)}"
    if unload:
        script = f"{FUNCTIONS}\ngpu_before; {script}; gpu_after"
    limit = asked.limit + 20 + SECONDS
    said = shell.sh(f"{script}; true", stdin=json.dumps(asked.body), timeout=limit).stdout
    found = answers(said)
    reply = found.get(url, Answer(url, 0, ""))
    value = reply.json if isinstance(reply.json, dict) else {}
    tokens = asked.tokens(value) if reply.ok else 0
    if unload and not (keep and tokens):
        unload_model(shell, asked.server, model)
    if not tokens:
        raise _failure(reply, model, container, asked.limit)
    duration = int(value.get("eval_duration") or 0) / 1e9
    told = found.get(loaded_url, Answer(loaded_url, 0, ""))
    there = next((m for m in _loaded(told) if m.name == model), LoadedModel(model, 0, 0, 0))
    rate = tokens / duration if duration else 0.0
    memory = measured(said, there.vram) if unload else None
    return Proof(model, tokens, rate, there.gpu_share, memory)


def _loaded(told: Answer) -> tuple[LoadedModel, ...]:
    """Return the models that a server says to hold in memory; none where it does not tell."""
    try:
        return loaded_models(told.json if told.ok else {})
    except BadAnswer:
        return ()


def _failure(reply: Answer, model: str, container: str, limit: int) -> StepFailed:
    log = f"`docker logs {container}` tells more"
    if not reply.status:
        cause = f"{model} did not generate within {limit} s"
        return StepFailed(cause, f"{log}; a longer generate_timeout helps a slow machine")
    if reply.status == 404:
        return StepFailed(
            f"{model} did not generate: it is not there", "converge: it is pulled anew"
        )
    said = reply.message.strip().splitlines() or [""]
    cause = said[0].strip(" :-") if not reply.ok else "the answer was empty"
    remedy = (
        f"{log}; `docker restart {container}` mends a server in trouble; only where its log names"
        f" a damaged file, `docker exec {container} ollama rm {model}`, then converge; otherwise"
        " declare another model or image"
    )
    return StepFailed(f"{model} did not generate: {cause}", remedy)
