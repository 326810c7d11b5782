"""A real generation on a server: whether it works, how fast, and where it ran."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tasks.engine_api import Answer, answers, curl
from tasks.ollama.observed import LoadedModel, ObservedServer
from tasks.shell import Shell
from tasks.steps import StepFailed

PROMPT = "Say ok."
TOKENS = 8
# The model is held for this long, so that one can see where it is, and unloaded then.
HOLD = "1m"
WHOLE = 0.999


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
        return processor(self.gpu_share)


def processor(gpu_share: float) -> str:
    """Name where a model is, from the share of it that is on the GPU; partial is never healthy."""
    if gpu_share >= WHOLE:
        return "GPU"
    return f"GPU {gpu_share:.0%}".replace("%", " %") if gpu_share else "CPU"


def generate(
    shell: Shell, server: str, model: str, container: str, *, limit: int, unload: bool
) -> Proof:
    """Generate a few tokens and see where the model is. Raises StepFailed.

    `server` is a URL, `container` the name for its remedies; `limit` is in seconds, loading
    included; `unload` takes the model out of memory again.
    """
    url, loaded_url = f"{server}/api/generate", f"{server}/api/ps"
    body = {
        "model": model,
        "prompt": PROMPT,
        "stream": False,
        "keep_alive": HOLD,
        "options": {"num_predict": TOKENS},
    }
    ask = curl([url], method="POST", timeout=limit, has_body=True)
    script = f"{ask}; {curl([loaded_url], timeout=10)}; true"
    found = answers(shell.sh(script, stdin=json.dumps(body), timeout=limit + 30).stdout)
    if unload:
        farewell = json.dumps({"model": model, "keep_alive": 0})
        shell.sh(curl([url], method="POST", timeout=30, has_body=True), stdin=farewell)
    reply = found.get(url, Answer(url, 0, ""))
    value = reply.json if isinstance(reply.json, dict) else {}
    tokens = int(value.get("eval_count") or 0)
    if not reply.ok or not value.get("done") or tokens < 1:
        raise _failure(reply, model, container, limit)
    duration = int(value.get("eval_duration") or 0) / 1e9
    loaded = ObservedServer.from_answers({"version": "?"}, None, found[loaded_url].json).loaded
    return Proof(model, tokens, tokens / duration if duration else 0.0, _share(model, loaded))


def _share(model: str, loaded: tuple[LoadedModel, ...]) -> float:
    return next((m.gpu_share for m in loaded if m.name == model), 0.0)


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
        f"{log}; damaged files: `docker exec {container} ollama rm {model}`, then converge;"
        " otherwise declare another model or image"
    )
    return StepFailed(f"{model} did not generate: {cause}", remedy)
