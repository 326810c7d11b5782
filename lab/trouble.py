"""Faults as texts of nginx's configuration (pure).

A bad answer is a named location @bad, reached by try_files: so it comes after the phase in which
`once` lets only a path's first request of each minute through to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError
from lab.nginx import NEEDS_NEWER, Layout, Trouble
from lab.registry import MANIFEST
from lab.state import ActiveFault

STATUSES = {
    401: ("UNAUTHORIZED", "authentication required"),
    404: ("MANIFEST_UNKNOWN", "manifest unknown"),
    412: ("", ""),
    429: ("TOOMANYREQUESTS", "You have reached your unauthenticated pull rate limit."),
    500: ("UNKNOWN", "the registry has a fault of its own"),
}
DOWN = "down"
DEFAULT_RATE = "100k"
DEFAULT_AFTER = 100_000
_RATE = re.compile(r"[1-9][0-9]{0,6}[km]?")
_ONLY = re.compile(r"[A-Za-z0-9._-]*(?::[A-Za-z0-9._-]+)?")
_ONCE = "limit_req zone=once; limit_req_status 503; error_page 503 = @good; "
# Whoever waits behind sends as much as is wanted and then a byte a second: the front gives up.
_CUT = "proxy_buffering off; proxy_read_timeout 300ms;"
_STALL = "proxy_buffer_size 4k; proxy_read_timeout 1h;"
# The server behind waits for a body that never comes.
_SILENT = "proxy_pass_request_body off; proxy_set_header Content-Length 9; proxy_read_timeout 1h;"


@dataclass(frozen=True)
class FaultKind:
    """A fault that can be asked for. `target` is images, models or blobs (the models' blobs)."""

    target: str
    what: str
    status: int = 0

    @property
    def name(self) -> str:
        """The name that a person types."""
        return f"{self.target}-{self.what}"


KINDS = {
    kind.name: kind
    for kind in (
        *(FaultKind("images", str(status), status) for status in (401, 404, 429, 500)),
        *(FaultKind("models", str(status), status) for status in STATUSES),
        FaultKind("images", "slow"),
        FaultKind("images", "stalled"),
        FaultKind("images", DOWN),
        FaultKind("models", "stalled"),
        FaultKind("models", DOWN),
        FaultKind("models", "truncated"),
        FaultKind("blobs", "slow"),
        FaultKind("blobs", "cut"),
        FaultKind("blobs", "stalled"),
        FaultKind("blobs", "flipped"),
    )
}


def check(fault: ActiveFault) -> None:
    """Refuse a fault that makes no sense."""
    if fault.name not in KINDS:
        raise LabError(f"there is no fault {fault.name!r}", f"choose one of {', '.join(KINDS)}")
    if fault.rate and not _RATE.fullmatch(fault.rate):
        raise LabError(f"{fault.rate!r} is no rate", "give one like 200k or 1m (bytes a second)")
    if not _ONLY.fullmatch(fault.only):
        raise LabError(f"{fault.only!r} names no model or tag", "give one like tiny-qwen:v1")
    if fault.after < 0:
        raise LabError("a number of bytes is negative", "give 1 or more")


def trouble(fault: ActiveFault, layout: Layout, digests: Sequence[str], files: Path) -> Trouble:
    """Return what a fault adds to the configuration.

    `digests` are the blobs that a fault of blobs is about; `files` holds damaged copies.
    """
    kind = KINDS[fault.name]
    if kind.what == DOWN:
        return Trouble(down=frozenset([kind.target]))
    if kind.target == "blobs":
        return _blob_trouble(fault, layout, digests, files)
    if kind.what == "slow":
        return Trouble(images=_slow_images(fault, layout))
    behind = ""
    if kind.status:
        pattern, bad = _status_pattern(fault, kind), _status(kind.status)
    elif kind.what == "truncated":
        pattern = _scoped(fault, kind, "manifests")
        bad = f"root {files}; default_type {MANIFEST};"
    else:
        pattern, bad = _scoped(fault, kind, ""), f"{_SILENT} {_to_behind(layout)}"
        behind = _never_answers(layout)
    text = _locations(pattern, bad, fault.once)
    if kind.status == 401:
        text += f"    location = /token {{ {_status(401)} }}\n"
    images, models = (text, "") if kind.target == "images" else ("", text)
    return Trouble(images=images, models=models, behind=behind)


def _blob_trouble(
    fault: ActiveFault, layout: Layout, digests: Sequence[str], files: Path
) -> Trouble:
    what = KINDS[fault.name].what
    names = "|".join(digest.removeprefix("sha256:") for digest in digests)
    pattern = f"/blobs/sha256/../({names})/data$"
    after = fault.after or DEFAULT_AFTER
    # The bytes are counted for each connection, so a pull that resumes gets as many again.
    behind = f"    limit_rate_after {after}; limit_rate 1;\n"
    if what == "slow":
        return Trouble(blobs=_locations(pattern, f"limit_rate {fault.rate or DEFAULT_RATE};"))
    if what == "flipped":
        return Trouble(blobs=_locations(pattern, f"root {files};", fault.once))
    how = _CUT if what == "cut" else _STALL
    return Trouble(
        blobs=_locations(pattern, f"{how} {_to_behind(layout)}", fault.once), behind=behind
    )


def _slow_images(fault: ActiveFault, layout: Layout) -> str:
    backend = f"proxy_pass http://127.0.0.1:{layout.ports.images_backend};"
    rate = fault.rate or DEFAULT_RATE
    return f'    location ~ "^/v2/.+/blobs/" {{ limit_rate {rate}; {backend} }}\n'


def _locations(pattern: str, bad: str, once: bool = False) -> str:
    guard = _ONCE if once else ""
    return (
        f'    location ~ "{pattern}" {{ {guard}try_files /.none @bad; }}\n'
        f"    location @bad {{ {bad} }}\n"
    )


def _status_pattern(fault: ActiveFault, kind: FaultKind) -> str:
    if kind.status == 401 and not fault.only:
        return "^/v2/"
    part = "manifests" if kind.status in (404, 412) else "(manifests|blobs)"
    return _scoped(fault, kind, part)


def _scoped(fault: ActiveFault, kind: FaultKind, part: str) -> str:
    """Return the pattern of the paths that a fault is about: of one name or tag, or of all.

    `only` is a tag of the image, or a model with or without its tag.
    """
    name, _, tag = fault.only.partition(":")
    if kind.target == "images" and fault.only:
        return f"^/v2/.+/manifests/{re.escape(fault.only)}$"
    repository = f"library/{re.escape(name)}" if name else ".+"
    if tag:
        return f"^/v2/{repository}/manifests/{re.escape(tag)}$"
    return f"^/v2/{repository}/{part}" if part or name else "^/v2/"


def _status(status: int) -> str:
    if status == 412:
        return f'default_type text/plain; return 412 "{NEEDS_NEWER}";'
    code, message = STATUSES[status]
    body = json.dumps({"errors": [{"code": code, "message": message}]})
    header = ""
    if status == 401:
        challenge = 'Bearer realm=\\"http://$http_host/token\\",service=\\"lab\\"'
        header = f'add_header WWW-Authenticate "{challenge}" always; '
    if status == 429:
        header = "add_header Retry-After 60 always; "
    return f"default_type application/json; {header}return {status} '{body}';"


def _to_behind(layout: Layout) -> str:
    return f"proxy_pass http://127.0.0.1:{layout.ports.trouble};"


def _never_answers(layout: Layout) -> str:
    return (
        "    location / { client_body_timeout 1h; proxy_request_buffering on;"
        f" {_to_behind(layout)} }}\n"
    )
