"""The answers that curl printed, as values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tasks.shell.curl import opened
from tasks.words.foreign import BadAnswer, Fields, read_json
from tasks.words.printable import printable

_TRAILER = re.compile(r"#(\d{3}) (\S+)")


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
