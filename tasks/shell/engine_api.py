"""What engines and servers answer by HTTP: URLs of the Docker Engine API, and answers as values.

curl over the engine's socket works through every connector, gives the same objects as the Docker
SDK, and costs a tenth of a start of the docker CLI. Source: docs.docker.com/reference/api/engine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from tasks.shell.curl import WEB, curl, opened
from tasks.words.foreign import LARGEST, BadAnswer, Fields, read_json
from tasks.words.printable import printable

if TYPE_CHECKING:
    from tasks.shell.local import Shell

ENGINE = "http://docker"
_TRAILER = re.compile(r"#(\d{3}) (\S+)")
# How long a script may take beyond what its curl may.
GRACE_SECONDS = 10


@dataclass(frozen=True)
class Answer:
    """One HTTP answer. `status` is 0 where nobody answered; `body` is its text."""

    url: str
    status: int
    body: str

    @property
    def ok(self) -> bool:
        """Tell whether the request was carried out (304 is "already so")."""
        return 200 <= self.status < 300 or self.status == 304

    @cached_property
    def json(self) -> Any:
        """The body as JSON; None where it is none, or more than anybody should send."""
        try:
            return read_json(self.body)
        except BadAnswer:
            return None

    @property
    def fields(self) -> Fields:
        """The body as a JSON object, to read field by field. Raises BadAnswer."""
        return Fields(read_json(self.body), "the answer")

    @property
    def message(self) -> str:
        """What the server says of its error, in its own words, as one line to show."""
        value = self.json
        if isinstance(value, dict):
            return printable(value.get("message") or value.get("error") or self.body.strip())
        said = printable(self.body.strip())
        return said or ("nobody answered" if not self.status else str(self.status))


def answers(output: str, name: str = "") -> dict[str, Answer]:
    """Return the answers in the envelopes that `curl` printed, by URL; only in those of a name.

    An answer that is not whole, since a limit cut it off, is not among them.
    """
    found: dict[str, Answer] = {}
    for envelope, data in opened(output):
        if name in ("", envelope):
            found |= answers_in(data)
    return found


def answers_in(data: bytes) -> dict[str, Answer]:
    """Return the answers in one envelope, by URL."""
    found: dict[str, Answer] = {}
    body: list[str] = []
    # What stands behind the last newline was cut off: half a URL might be another one.
    *lines, _ = data.decode(errors="replace").split("\n")
    for line in lines:
        match = _TRAILER.fullmatch(line)
        if match is None:
            body.append(line)
            continue
        url = match[2]
        found[url] = Answer(url, int(match[1]), "\n".join(body).strip())
        body = []
    return found


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
