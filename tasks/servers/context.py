"""Whether a server really reads as much as it is said to: a prompt over its context, counted.

Ollama cuts what is too long, and says so in its log alone. Source: seen with 0.24.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tasks.shell.engine_api import ask
from tasks.shell.local import Shell

# One token in about every vocabulary.
WORD = "the "
# So much longer than the context is the prompt: what asks around it is cut as well.
OVER = 1.1
# Tokens that a server puts around a prompt at most, where it is told to put none.
FRAME = 8
_CUT = re.compile(r'msg="truncating input prompt" limit=(\d+) prompt=(\d+)')


@dataclass(frozen=True)
class Cuts:
    """Prompts that a server cut, by its log: how many, and the longest of them in tokens."""

    count: int = 0
    longest: int = 0
    limit: int = 0


def cuts_in(log: Iterable[str]) -> Cuts:
    """Count the prompts that were cut in the lines of a server's log."""
    found = [match for match in map(_CUT.search, log) if match and not _is_ours(match)]
    longest = max((int(match[2]) for match in found), default=0)
    return Cuts(len(found), longest, int(found[-1][1]) if found else 0)


def _is_ours(cut: re.Match[str]) -> bool:
    """Tell a prompt of `tokens_read` from those of clients, by its length."""
    return abs(int(cut[2]) - int(int(cut[1]) * OVER)) <= FRAME


def tokens_read(
    shell: Shell, server: str, model: str, context: int, *, limit: int, unload: bool
) -> int | None:
    """Send a prompt over a context (tokens) and return how much of it was read.

    None where the server gave no answer within `limit` seconds. `unload`: the model was not in
    memory before.
    """
    url = f"{server}/api/generate"
    body = {
        "model": model,
        "prompt": WORD * int(context * OVER),
        "raw": True,
        "stream": False,
        "options": {"num_predict": 1},
        **({"keep_alive": 0} if unload else {}),
    }
    told = ask(shell, url, method="POST", body=body, timeout=limit).json
    count = told.get("prompt_eval_count") if isinstance(told, dict) else None
    return count if isinstance(count, int) else None
