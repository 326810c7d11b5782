"""What one look at a host shows of its NVIDIA cards: devices, driver, who holds them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tasks.nvidia.smi_log import GpuLog, SmiLog, known, mebibytes
from tasks.shell.output import number, sections, values
from tasks.words.versions import numbers

QUERY = "index,name,uuid,memory.total,memory.used,driver_version,compute_cap"
MISMATCH = "driver/library version mismatch"
_CARD = re.compile(r"(\S+) (0x[0-9a-f]{1,8})(?: (\S+))?")
_DRIVER = re.compile(r"(?:NVRM version:.*?|\s)(\d{3,}(?:\.\d+)+)\s")


@dataclass(frozen=True)
class Gpu:
    """One card as nvidia-smi sees it. Memory is in MiB, None where nvidia-smi does not say.

    `log` is what its log adds; empty where that could not be read.
    """

    index: int
    name: str
    uuid: str
    memory_total: int | None
    memory_used: int | None
    driver: str
    compute_capability: str
    log: GpuLog = field(default_factory=GpuLog)


@dataclass(frozen=True)
class Card:
    """One card as the PCI bus sees it. `driver` is the kernel module that holds it, or ""."""

    address: str
    device: str
    driver: str

    @property
    def device_id(self) -> int:
        """The device's number, by which generations can be told apart."""
        return int(self.device, 16)


@dataclass(frozen=True)
class Nvidia:
    """All that is known of NVIDIA on a host. Versions are "" where there is nothing to read.

    `status` is the exit status of nvidia-smi, None where it is missing; `error` what it said.
    `loaded` is the version of the module in the kernel, `on_disk` of the one for the next start;
    `is_fresh`: the one on the disk came there after the kernel had started. `kernel` is what uname
    calls the kernel. `has_installer`: NVIDIA's own .run installer put a driver past the packages.
    """

    gpus: tuple[Gpu, ...] = ()
    cards: tuple[Card, ...] = ()
    status: int | None = None
    error: str = ""
    cuda: str = ""
    loaded: str = ""
    on_disk: str = ""
    modules: frozenset[str] = frozenset()
    has_secure_boot: bool = False
    is_fresh: bool = False
    has_installer: bool = False
    kernel: str = ""

    @property
    def driver(self) -> str:
        """The version of the driver that works, one for all cards; "" where none does."""
        versions = (gpu.driver for gpu in self.gpus if numbers(gpu.driver))
        return min(versions, key=numbers, default="")

    @property
    def is_loaded(self) -> bool:
        """Tell whether NVIDIA's module is in the kernel."""
        return "nvidia" in self.modules or bool(self.loaded)

    @property
    def is_mismatched(self) -> bool:
        """Tell whether the libraries were replaced under a driver that is still loaded."""
        return MISMATCH in self.error.lower()

    @classmethod
    def from_lines(cls, lines: Iterable[str]) -> Nvidia:
        """Parse what the look printed; what is missing keeps its default."""
        parts = sections(lines)
        smi = parts.get("smi", [])
        told = values(line for line in smi if line.startswith("status="))
        rows = [line.removeprefix("csv=") for line in smi if line.startswith("csv=")]
        status = number(told["status"], 1) if "status" in told else None
        log = SmiLog.from_xml("\n".join(line[4:] for line in smi if line.startswith("xml=")))
        kernel = values(parts.get("kernel", ()))
        loaded = kernel.get("loaded", "") or driver_version(parts.get("proc", ()))
        return cls(
            gpus=gpus(rows, log) if status == 0 else (),
            cards=cards(parts.get("pci", ())),
            status=status,
            error="" if status == 0 else " ".join(" ".join(rows).split()),
            cuda=log.cuda,
            loaded=loaded,
            on_disk=kernel.get("on_disk", ""),
            modules=frozenset(kernel.get("modules", "").split()),
            has_secure_boot=has_secure_boot(kernel),
            is_fresh=kernel.get("fresh") == "yes",
            has_installer=kernel.get("installer") == "yes",
            kernel=kernel.get("release", ""),
        )


def has_secure_boot(kernel: Mapping[str, str]) -> bool:
    """Tell whether Secure Boot is on: mokutil's word, else the firmware's variable."""
    said = kernel.get("mokutil", "").lower()
    if said.startswith("secureboot"):
        return said.split()[-1] == "enabled"
    return kernel.get("secure_boot") == "1"


def gpus(rows: Iterable[str], log: SmiLog) -> tuple[Gpu, ...]:
    """Parse nvidia-smi's CSV in the order of QUERY; rows of another shape are left out."""
    logs, found = dict(log.gpus), []
    for row in rows:
        cells = [cell.strip() for cell in row.split(",")]
        if len(cells) == len(QUERY.split(",")) and cells[0].isdecimal():
            index, name, uuid, total, used, driver, capability = cells
            memory = mebibytes(total), mebibytes(used)
            more = logs.get(uuid, GpuLog())
            found.append(Gpu(number(index), name, uuid, *memory, driver, known(capability), more))
    return tuple(found)


def cards(lines: Iterable[str]) -> tuple[Card, ...]:
    """Parse "ADDRESS DEVICE DRIVER" lines; the driver is absent where nothing holds the card."""
    found = (_CARD.fullmatch(line.strip()) for line in lines)
    return tuple(Card(m[1], m[2], m[3] or "") for m in found if m)


def driver_version(lines: Iterable[str]) -> str:
    """Return the version in /proc/driver/nvidia/version, whose wording differs between kinds."""
    for line in lines:
        if line.startswith("NVRM version:") and (match := _DRIVER.search(line + " ")):
            return match[1]
    return ""
