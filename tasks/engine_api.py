"""The Docker Engine API by curl: requests as shell words, answers as values.

curl over the engine's socket works through every connector, gives the same objects as the Docker
SDK, and costs a tenth of a start of the docker CLI. Source: docs.docker.com/reference/api/engine.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

ENGINE = "http://docker"
_TRAILER = re.compile(r"^#(\d{3}) (\S+)$")


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

    @property
    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def message(self) -> str:
        """What the server says of its error, in its own words."""
        value = self.json
        if isinstance(value, dict):
            return str(value.get("message") or value.get("error") or self.body.strip())
        return self.body.strip() or ("nobody answered" if not self.status else str(self.status))


def curl(urls: Iterable[str], **options: Any) -> str:
    """Build one curl command for several URLs; its options are those of `curl_words`."""
    return f"{shlex.join(['curl', *curl_words(urls, **options)])} 2>/dev/null"


def curl_words(
    urls: Iterable[str],
    *,
    socket: str = "",
    method: str = "GET",
    timeout: float = 30,
    has_body: bool = False,
) -> list[str]:
    """Return the arguments of one curl; --next between several of them makes one command.

    Each answer ends in a line "#STATUS URL". `timeout` is in seconds for each URL. The body, if
    there is one, is read from standard input, so that no secret is in an argument.
    """
    words = ["-sS", "--globoff", "--noproxy", "*", "--max-time", f"{timeout:g}"]
    words += ["--connect-timeout", "5", "-w", r"\n#%{http_code} %{url_effective}\n"]
    # With "-X HEAD" curl would wait for a body.
    words += ["-I"] if method == "HEAD" else ["-X", method]
    if socket:
        words += ["--unix-socket", socket]
    if has_body:
        words += ["-H", "Content-Type: application/json", "--data-binary", "@-"]
    return [*words, *urls]


def answers(output: str) -> dict[str, Answer]:
    """Parse what `curl` printed, by URL."""
    found: dict[str, Answer] = {}
    body: list[str] = []
    for line in output.splitlines():
        match = _TRAILER.match(line)
        if match is None:
            body.append(line)
            continue
        url = match[2]
        found[url] = Answer(url, int(match[1]), "\n".join(body).strip())
        body = []
    return found


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
