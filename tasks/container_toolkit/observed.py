"""What one look at a host shows of the NVIDIA Container Toolkit."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tasks.shell.output import sections, values

_VERSION = re.compile(r"version v?(\d+(?:\.\d+)+\S*)", re.I)


@dataclass(frozen=True)
class Toolkit:
    """The toolkit's programs; empty where they are missing.

    `hook` is nvidia-container-runtime-hook, which the engine looks for when it starts. `cdi_specs`
    are files that describe the GPU to engines with CDI; `has_refresh`: systemd knows the unit that
    keeps them up to date. `came_after_engine`: the package's hook is newer than the engine's start.
    """

    ctk: str = ""
    version: str = ""
    hook: str = ""
    cdi_specs: tuple[str, ...] = ()
    has_refresh: bool = False
    came_after_engine: bool = False

    @property
    def is_there(self) -> bool:
        """Tell whether the engine can find what it needs for `--gpus`."""
        return bool(self.hook)

    @classmethod
    def from_lines(cls, lines: Iterable[str]) -> Toolkit:
        """Parse what the look printed; what is missing keeps its default."""
        parts = sections(lines)
        paths = values(parts.get("paths", ()))
        told = _VERSION.search("\n".join(parts.get("version", ())))
        return cls(
            ctk=paths.get("ctk", ""),
            version=told[1] if told else "",
            hook=paths.get("hook", ""),
            cdi_specs=tuple(parts.get("cdi", ())),
            has_refresh=paths.get("refresh") == "yes",
            came_after_engine=paths.get("unseen") == "yes",
        )
