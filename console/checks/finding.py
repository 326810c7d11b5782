"""One finding: of the doctor, of what an installation needs, of the app's start."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tasks.words.failures import Failure

CONVERGE = "pyinfra @local deploys/stack.py (or ./main.sh setup) mends it"


@dataclass(frozen=True)
class Check:
    """One finding. `remedy` is there where it is not well.

    `is_notable`: it is well, and a person may want to know more or do better.
    """

    what: str
    is_well: bool
    finding: str
    remedy: str = ""
    is_notable: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the finding for programs."""
        return asdict(self)


def well(what: str, finding: str) -> Check:
    """Return a finding of something that is as it should be."""
    return Check(what, True, finding)


def notable(what: str, finding: str, remedy: str = "") -> Check:
    """Return a finding that a person may want to know, and that is no failure."""
    return Check(what, True, finding, remedy, is_notable=True)


def failed(what: str, failure: Failure) -> Check:
    """Return what a converge would say of its failure."""
    return Check(what, False, f"{failure.what}: {failure.cause}", failure.remedy)
