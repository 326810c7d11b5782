"""What curl prints on a host, as its envelopes carry it: for shells that answer in tests."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from tasks.shell.curl import WEB


def enveloped(data: bytes | str, name: str = WEB) -> str:
    """Return the line in which some output comes."""
    raw = data.encode() if isinstance(data, str) else data
    return f"#{name} {base64.b64encode(raw).decode()}"


def answered(found: Mapping[str, Any], name: str = WEB) -> str:
    """Return the line of one curl, from what it got by URL: JSON, or (status, text)."""
    said = ""
    for url, value in found.items():
        status, text = value if isinstance(value, tuple) else (200, json.dumps(value))
        said += f"{text}\n#{status:03} {url}\n"
    return enveloped(said, name)
