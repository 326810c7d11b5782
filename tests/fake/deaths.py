"""Kills: a run ends at a change of the host, before the change takes effect or after it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.fake.http import Request, Response
from tests.fake.lies import Honest, Liar, reset

# The requests that change containers, images, volumes or models.
CHANGES = (
    ("POST", re.compile(r"/containers/create|/containers/[^/]+/(start|stop|rename|unpause)")),
    ("POST", re.compile(r"/images/.*|/volumes/create|/api/(pull|copy)")),
    ("DELETE", re.compile(r".*")),
)


def is_change(request: Request) -> bool:
    """Tell whether a request changes the host."""
    return any(
        method == request.method and path.fullmatch(request.path) for method, path in CHANGES
    )


@dataclass
class Death:
    """The change at which a run is killed, counted from 1; 0 lets it live.

    `is_before`: the change does not take effect. What the run left on the host, such as a pull and
    the tag that follows it, goes on without it.
    """

    at: int = 0
    is_before: bool = True
    changes: int = 0
    has_come: bool = False

    def meet(self, request: Request, honest: Honest) -> Response:
        """Return what goes out, and let death come where it is time."""
        self.changes += 1
        if self.changes != self.at:
            return honest()
        if self.is_before:
            self.has_come = True
            return reset(request, honest)
        done = honest()
        self.has_come = True
        return done


class Mortal(Liar):
    """What stands between requests and answers of a host on which runs are killed."""

    death: Death | None = None

    def __call__(self, request: Request, honest: Honest) -> Response:
        """Return what goes out."""
        if self.death is None or not is_change(request):
            return super().__call__(request, honest)
        return self.death.meet(request, lambda: super(Mortal, self).__call__(request, honest))
