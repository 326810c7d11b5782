"""Lies: answers that are not the honest ones. Aimed at a request, or drawn from a seed at a rate.

What is drawn depends on the seed, the server, the kind of path and how often it was asked before,
and on nothing else, so that a run that failed can be had again.
"""

from __future__ import annotations

import random
import re
import threading
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from tests.fake import bodies
from tests.fake.http import Request, Response

Honest = Callable[[], Response]
Lie = Callable[[Request, Honest], Response]
READING = ("GET", "HEAD")
# A random silence is over after this many seconds, without an answer: a run meets hundreds.
SHORT = 0.2
_IDENTITY = re.compile(r"(sha256:)?[0-9a-f]{12,}|(?<=/)[^/]*:[^/]*(?=/|$)")


# --- lies to aim with ---------------------------------------------------------------------------


def says(body: bytes | str = b"", status: int = 200, **headers: str) -> Lie:
    """Say this in place of doing anything; underscores in names of headers are hyphens."""
    content = body.encode() if isinstance(body, str) else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request, honest: Response(status, content, named)


def tampers(change: Callable[[bytes], bytes]) -> Lie:
    """Do what was asked, and change the body of the answer."""
    return lambda request, honest: _changed(honest(), change)


def after_the_deed(lie: Lie) -> Lie:
    """Do what was asked, and lie about it."""

    def tell(request: Request, honest: Honest) -> Response:
        done = honest()
        return lie(request, lambda: done)

    return tell


def silence(seconds: float = 60) -> Lie:
    """Do nothing and say nothing, for so long at most."""
    return lambda request, honest: Response(ending="silence", wait=seconds)


def reset(request: Request, honest: Honest) -> Response:
    """Do nothing and break the connection."""
    return Response(ending="reset")


def cut(request: Request, honest: Honest) -> Response:
    """Do what was asked, and break off in the middle of the answer."""
    return replace(whole(honest()), ending="cut")


def slow(seconds: float) -> Lie:
    """Be honest, and late."""
    return lambda request, honest: replace(honest(), wait=seconds)


def whole(response: Response) -> Response:
    """Return an answer whose body is in one piece."""
    if response.chunks is None:
        return response
    return replace(response, body=b"".join(response.chunks), chunks=None)


def _changed(response: Response, change: Callable[[bytes], bytes]) -> Response:
    found = whole(response)
    return replace(found, body=change(found.body))


# --- the liar -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Aim:
    """Which requests a lie meets: patterns of server and target, and which of them ("the 3rd")."""

    lie: Lie
    server: str = ""
    method: str = ""
    path: str = ""
    only: Collection[int] = ()

    def is_meant(self, request: Request) -> bool:
        """Tell whether a request is one of those."""
        return (
            re.fullmatch(self.server or ".*", request.server) is not None
            and self.method in ("", request.method)
            and re.search(self.path, f"{request.path}?{request.target.partition('?')[2]}")
            is not None
        )


class Liar:
    """What stands between requests and honest answers. Honest until it is told otherwise."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self._lock = threading.Lock()
        self._aims: list[Aim] = []
        self._random: RandomLies | None = None
        self._met: Counter[int] = Counter()

    def aim(
        self,
        lie: Lie,
        *,
        server: str = "",
        method: str = "",
        path: str = "",
        only: Collection[int] = (),
    ) -> None:
        """Lie to some requests from now on; `only` counts them from 1."""
        self._aims.append(Aim(lie, server, method, path, only))

    def lie_at_random(
        self, seed: str, rate: float, server: str, *, mutates: bool, after: int = 0
    ) -> None:
        """Lie to a part of the requests (0 to 1) at servers whose name a pattern fits.

        `mutates`: an honest answer may also be sent with one value of it changed. The first
        requests are answered honestly, `after` of them.
        """
        self._random = RandomLies(seed, rate, server, mutates=mutates, after=after)

    def be_honest(self) -> None:
        """End all lies."""
        self._aims, self._random, self.told = [], None, []
        self._met.clear()

    def __call__(self, request: Request, honest: Honest) -> Response:
        """Return what goes out."""
        lie = self._chosen(request)
        return honest() if lie is None else lie(request, honest)

    def _chosen(self, request: Request) -> Lie | None:
        with self._lock:
            for number, aim in enumerate(self._aims):
                if not aim.is_meant(request):
                    continue
                self._met[number] += 1
                if not aim.only or self._met[number] in aim.only:
                    self.told.append(f"{request}: aimed")
                    return aim.lie
            found = self._random.draw(request) if self._random is not None else None
            if found is None:
                return None
            self.told.append(f"{request}: {found[0]}")
            return found[1]


def kind_of(path: str) -> str:
    """Return the kind of a path: without what names one object."""
    return _IDENTITY.sub("X", path)


class RandomLies:
    """Draws a lie, or none, for each request."""

    def __init__(
        self, seed: str, rate: float, server: str, *, mutates: bool, after: int = 0
    ) -> None:
        self._seed, self._rate, self._server = seed, rate, server
        self._mutates, self._after = mutates, after
        self._asked: Counter[str] = Counter()
        self._others: dict[str, Response] = {}

    def draw(self, request: Request) -> tuple[str, Lie] | None:
        """Return a lie and its name."""
        if not re.fullmatch(self._server, request.server):
            return None
        key = f"{request.server} {request.method} {kind_of(request.path)}"
        self._asked[key] += 1
        if self._asked.total() <= self._after:
            return None
        rng = random.Random(f"{self._seed} {key} {self._asked[key]}")
        if rng.random() >= self._rate:
            return None
        name, lie = rng.choice(self._lies(rng))
        if request.method not in READING and rng.random() < 0.5:
            return f"{name}, and it was done", after_the_deed(lie)
        return name, lie

    def _lies(self, rng: random.Random) -> list[tuple[str, Lie]]:
        status = rng.choice((100, 204, 301, 302, 304, 400, 401, 403, 404, 409, 429, 500, 503, 599))
        kind, body = bodies.odd(rng)
        lies: list[tuple[str, Lie]] = [
            (f"status {status}", says("", status)),
            (f"status {status}, {kind}", says(body, status)),
            (kind, says(body)),
            (kind, says(body)),
            ("cut", cut),
            ("reset", reset),
            ("silence", silence(SHORT)),
            ("late", slow(SHORT)),
            ("another's answer", self._another),
            ("a wrong length", _wrong_length(rng.choice((0, 1, 10**12)))),
            ("odd headers", _odd_headers(rng)),
        ]
        if self._mutates:
            lies += 3 * [("one value changed", tampers(lambda honest: bodies.mutated(honest, rng)))]
        return lies

    def _another(self, request: Request, honest: Honest) -> Response:
        """Give the answer that another request of this kind got, of this server's or another's."""
        kind = kind_of(request.path).rpartition("/")[2]
        found = whole(honest())
        before = self._others.get(kind, found)
        self._others[kind] = found
        return before


def _wrong_length(length: int) -> Lie:
    return lambda request, honest: replace(whole(honest()), length=length)


def _odd_headers(rng: random.Random) -> Lie:
    name, value = rng.choice(bodies.ODD_HEADERS)
    status = 401 if name == "Www-Authenticate" else 200

    def tell(request: Request, honest: Honest) -> Response:
        found = whole(honest())
        return replace(found, status=status, headers={**found.headers, name: value})

    return tell
