"""What `nvidia-smi -q -x` tells beyond its table: CUDA, persistence, and who uses the memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from xml.etree import ElementTree

from tasks.shell.output import number

# What nvidia-smi writes, in brackets or not, in the place of a value.
UNKNOWN = ("N/A", "Not Supported", "Not Found", "Insufficient Permissions", "Unknown Error")


@dataclass(frozen=True)
class Process:
    """A process that uses a card. `kind` is "C" (compute), "G" (graphics: the desktop) or "C+G".

    `memory` is in MiB, None where nvidia-smi does not say.
    """

    pid: int
    name: str
    kind: str
    memory: int | None

    @property
    def is_ollama(self) -> bool:
        """Tell a model server, of this stack or another, from the programs beside it."""
        return "ollama" in PurePosixPath(self.name.partition(" ")[0]).name

    def __str__(self) -> str:
        size = "an unknown part" if self.memory is None else f"{self.memory} MiB"
        return f"{self.name or 'a process of another user'} (PID {self.pid}) {size}"


@dataclass(frozen=True)
class GpuLog:
    """One card of the log. `is_persistent` is None where the card does not know the mode."""

    is_persistent: bool | None = None
    processes: tuple[Process, ...] = ()


@dataclass(frozen=True)
class SmiLog:
    """The log: what holds for all cards, and each card by its UUID."""

    cuda: str = ""
    gpus: tuple[tuple[str, GpuLog], ...] = ()

    @classmethod
    def from_xml(cls, text: str) -> SmiLog:
        """Parse the log; what is no whole XML document, as of a call that was cut, gives nothing.

        The document names its DTD; ElementTree fetches none.
        """
        try:
            root = ElementTree.fromstring(text)
        except (ElementTree.ParseError, ValueError):
            return cls()
        gpus = tuple((_text(gpu, "uuid"), _gpu(gpu)) for gpu in root.iterfind("gpu"))
        return cls(known(_text(root, "cuda_version")), gpus)


def mebibytes(text: str) -> int | None:
    """Return MiB of "412" or "412 MiB"; None for "[N/A]": some cards have no memory of their own.

    More digits than any card needs are no size either: Python refuses to read very long numbers.
    """
    digits = text.removesuffix("MiB").strip()
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 16 else None


def known(text: str) -> str:
    """Return a word of nvidia-smi, "" where it only says why there is none."""
    return "" if text.strip("[]") in UNKNOWN else text


def _text(element: ElementTree.Element, path: str) -> str:
    return " ".join((element.findtext(path) or "").split())


def _gpu(gpu: ElementTree.Element) -> GpuLog:
    modes = {"Enabled": True, "Disabled": False}
    return GpuLog(
        is_persistent=modes.get(_text(gpu, "persistence_mode")),
        processes=tuple(
            Process(
                number(_text(row, "pid")[:9]),
                known(_text(row, "process_name")),
                _text(row, "type"),
                mebibytes(_text(row, "used_memory")),
            )
            for row in gpu.iterfind("processes/process_info")
        ),
    )
