"""A server that generates beside a card, as a shell prints both. The sizes are made up."""

from __future__ import annotations

from tasks.shell.local import Result
from tests.unit.tasks.said import answered
from tests.unit.tasks.samples import stack
from tests.unit.tasks.servers.gpu_card import lines

URL = "http://127.0.0.1:11434"
GIB = 1024**3
SERVICE = stack(gpu="auto").services[0]
MODEL = SERVICE.model


class Answers:
    """A shell on which a server generated and nvidia-smi told of a look before and after; of each
    generation the pair that `memory` has for it, the last for ever."""

    def __init__(self, share: float, *memory: tuple[list[str], list[str]]) -> None:
        self.share, self.memory = share, list(memory) or [([], [])]
        self.scripts: list[str] = []
        self.unloaded = 0

    def sh(self, script: str, *, stdin: str | None = None, timeout: float | None = 60) -> Result:
        self.unloaded += '"keep_alive": 0' in (stdin or "")
        if "/api/ps" not in script:
            return Result(True, "", "")
        self.scripts.append(script)
        reply = {"done": True, "eval_count": 8, "eval_duration": 200_000_000}
        loaded = {"name": MODEL, "size": 4 * GIB, "size_vram": round(4 * GIB * self.share)}
        before, after = self.memory.pop(0) if len(self.memory) > 1 else self.memory[0]
        said = [
            *before,
            answered({f"{URL}/api/generate": reply}),
            answered({f"{URL}/api/ps": {"models": [loaded]}}),
            *after,
        ]
        return Result(True, "\n".join(said), "")


def seen(before: int, after: int) -> tuple[list[str], list[str]]:
    """Return what a quiet card told before and after."""
    return lines("before", [before] * 4, []), lines("after", [after], [])
