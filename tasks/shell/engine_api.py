"""Asking engines and servers by HTTP, and the URLs of the Docker Engine API.

curl over the engine's socket works through every connector, gives the same objects as the Docker
SDK, and costs a tenth of a start of the docker CLI. Source: docs.docker.com/reference/api/engine.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from tasks.shell.answers import Answer, answers
from tasks.shell.curl import WEB, curl
from tasks.shell.local import Shell
from tasks.words.foreign import LARGEST

ENGINE = "http://docker"
# How long a script may take beyond what its curl may.
GRACE_SECONDS = 10


def ask(
    shell: Shell,
    url: str,
    *,
    socket: str = "",
    method: str = "GET",
    body: Any = None,
    timeout: float = 30,
    limit: int = LARGEST,
    wrap: Callable[[str], str] = str,
) -> Answer:
    """Ask one thing; `body` is sent as JSON, `timeout` is in seconds. Its status is 0 where nobody
    answered, or not in time, or with more than `limit` bytes. `wrap` is put around the command,
    such as the host's lock around one that changes something."""
    command = curl(
        [url],
        socket=socket,
        method=method,
        timeout=timeout,
        has_body=body is not None,
        limit=limit,
    )
    stdin = None if body is None else json.dumps(body)
    said = shell.sh(wrap(command), stdin=stdin, timeout=timeout + GRACE_SECONDS)
    return answers(said.stdout, WEB).get(url, Answer(url, 0, said.stderr))


def ask_all(shell: Shell, urls: Iterable[str], **options: Any) -> dict[str, Answer]:
    """Ask several things by one curl, whose options are those of `curl`; answers by URL."""
    return answers(shell.sh(curl(urls, **options)).stdout, WEB)


def engine(path: str, query: Mapping[str, object] | None = None) -> str:
    """Return the URL of an engine's endpoint; mappings and lists in `query` become JSON."""
    if not query:
        return ENGINE + quote(path, safe="/:@")
    pairs = {
        key: json.dumps(value) if isinstance(value, dict | list) else str(value)
        for key, value in query.items()
    }
    return f"{ENGINE}{quote(path, safe='/:@')}?{urlencode(pairs)}"


def with_label(name: str, value: str) -> dict[str, list[str]]:
    """Return the engine's filter for objects with a label."""
    return {"label": [f"{name}={value}"]}
