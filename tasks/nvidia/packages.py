"""What a host's apt knows of driver packages, and which packages of one driver belong together."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tasks.shell.output import sections, values

# "nvidia-dkms-570", "libnvidia-compute-570:i386", "linux-modules-nvidia-570-open-6.8.0-79-generic",
# "nvidia-kernel-dkms": the parts of one driver, which another one takes the place of. Not
# "nvidia-container-toolkit", "nvidia-settings" and the like, which go with any.
_OF_A_DRIVER = re.compile(
    r"(?:lib|linux-[a-z]+-|xserver-xorg-video-)?nvidia-"
    r"(?:(?:[a-z]\w*-)*\d{3}(?:-[\w.+-]+)?|(?:open-)?kernel-[a-z]+)(?::\w+)?"
)
_REMOVED = re.compile(r"^Remv (\S+)")


@dataclass(frozen=True)
class AptPackages:
    """Versions by package, without an entry where there is none.

    `has_lists` is False where apt was never updated, so that nothing can be said of candidates.
    """

    installed: tuple[tuple[str, str], ...] = ()
    candidates: tuple[tuple[str, str], ...] = ()
    has_lists: bool = False

    def installed_version(self, name: str) -> str:
        """Return the version that is installed, "" for none."""
        return dict(self.installed).get(name, "")

    def candidate(self, name: str) -> str:
        """Return the version that apt would install, "" for none."""
        return dict(self.candidates).get(name, "")

    @classmethod
    def from_lines(cls, lines: Iterable[str]) -> AptPackages:
        """Parse what `apt-cache policy` printed, and whether there are package lists."""
        parts = sections(lines)
        found: dict[str, list[tuple[str, str]]] = {"Installed": [], "Candidate": []}
        name = ""
        for line in parts.get("policy", ()):
            if not line.startswith(" "):
                name = line.rstrip().removesuffix(":")
                continue
            key, _, version = line.strip().partition(": ")
            if key in found and version != "(none)":
                found[key].append((name, version))
        has_lists = values(parts.get("lists", ())).get("lists") == "yes"
        return cls(tuple(found["Installed"]), tuple(found["Candidate"]), has_lists)


def removals(simulated: str) -> tuple[str, ...]:
    """Return the packages that `apt-get --simulate` would remove."""
    return tuple(m[1] for line in simulated.splitlines() if (m := _REMOVED.match(line)))


def is_of_a_driver(package: str) -> bool:
    """Tell the parts of a driver from everything else, by their names on Ubuntu and Debian."""
    return _OF_A_DRIVER.fullmatch(package) is not None
