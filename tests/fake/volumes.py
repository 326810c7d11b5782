"""The volumes of the fake engine: each has a folder that really exists."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CREATED = "2026-11-23T00:39:47Z"


@dataclass
class Volume:
    """A volume and its folder."""

    name: str
    folder: Path
    labels: dict[str, str] | None = None

    def inspect(self) -> dict[str, Any]:
        """Return what GET /volumes/NAME shows."""
        return {
            "CreatedAt": CREATED,
            "Driver": "local",
            "Labels": self.labels,
            "Mountpoint": str(self.folder),
            "Name": self.name,
            "Options": None,
            "Scope": "local",
        }


@dataclass
class Volumes:
    """All volumes of an engine, by name; `root` is where their folders are."""

    root: Path
    all: dict[str, Volume] = field(default_factory=dict)

    def create(self, name: str, labels: dict[str, str] | None = None) -> Volume:
        """Return the volume of this name; made where there is none yet."""
        if name not in self.all:
            folder = self.root / name / "_data"
            folder.mkdir(parents=True, exist_ok=True)
            self.all[name] = Volume(name, folder, labels)
        return self.all[name]

    def remove(self, name: str) -> None:
        """Remove a volume with all that is on it."""
        shutil.rmtree(self.all.pop(name).folder.parent)
