"""HTTP to the lab's own addresses: no proxy, no redirects followed unasked, always a time limit."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lab.errors import LabError

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Reply:
    """An answer; `status` 0 means that there was none, with the reason in `body`."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


def request(
    method: str,
    url: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 30,
) -> Reply:
    """Send one request and return whatever is answered."""
    message = urllib.request.Request(url, data=body, headers=dict(headers or {}), method=method)
    try:
        with _OPENER.open(message, timeout=timeout) as answer:
            return Reply(answer.status, _lower(answer.headers), answer.read())
    except urllib.error.HTTPError as error:
        return Reply(error.code, _lower(error.headers), error.read())
    except (OSError, urllib.error.URLError) as error:
        return Reply(0, {}, str(error).encode())


def demand(
    method: str,
    url: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 30,
) -> Reply:
    """Send one request; anything but a 2xx answer raises LabError."""
    reply = request(method, url, body, headers, timeout)
    if not 200 <= reply.status < 300:
        text = reply.body.decode(errors="replace").strip()[:300]
        raise LabError(
            f"{method} {url} answered {reply.status or 'nothing'}: {text}",
            "see the logs in the lab's state folder; `lab down` and `lab up` start afresh",
        )
    return reply


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
