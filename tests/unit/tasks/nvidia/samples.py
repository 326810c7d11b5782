"""What hosts with NVIDIA cards print. All of it is INVENTED after NVIDIA's documentation, none of
it recorded: there was no card at hand."""

from __future__ import annotations

from dataclasses import replace

from tasks.declared.layers import Layer, defaults_layer, merge
from tasks.declared.stack import Stack, declare
from tasks.nvidia.observed import Card, Nvidia

ADDRESS = "0000:01:00.0"
FIRST = "GPU-0a1b2c3d-0000-0000-0000-000000000000"
SECOND = "GPU-0a1b2c3d-0000-0000-0000-000000000001"

_GPU = """\
\t<gpu id="00000000:{slot}:00.0">
\t\t<product_name>{name}</product_name>
\t\t<persistence_mode>{persistence}</persistence_mode>
\t\t<uuid>{uuid}</uuid>
\t\t<fb_memory_usage>
\t\t\t<total>{total} MiB</total>
\t\t\t<used>{used} MiB</used>
\t\t</fb_memory_usage>
\t\t<processes>{processes}
\t\t</processes>
\t</gpu>
"""
_PROCESS = """
\t\t\t<process_info>
\t\t\t\t<pid>{pid}</pid>
\t\t\t\t<type>{kind}</type>
\t\t\t\t<process_name>{name}</process_name>
\t\t\t\t<used_memory>{memory}</used_memory>
\t\t\t</process_info>"""


def process(pid: int, kind: str, name: str, memory: str) -> str:
    """Return a process as the log lists it."""
    return _PROCESS.format(pid=pid, kind=kind, name=name, memory=memory)


DESKTOP = process(1702, "G", "/usr/lib/xorg/Xorg", "180 MiB")
OLLAMA = process(4711, "C", "/bin/ollama runner --port 40001", "5000 MiB")


def gpu(
    processes: str = DESKTOP,
    uuid: str = FIRST,
    name: str = "NVIDIA GeForce RTX 2070 SUPER",
    persistence: str = "Disabled",
) -> str:
    """Return a card as the log lists it."""
    return _GPU.format(
        slot="01", name=name, persistence=persistence, uuid=uuid, total=8192, used=412,
        processes=processes,
    )  # fmt: skip


def log(*cards: str, cuda: str = "13.0") -> str:
    """Return the log of `nvidia-smi -q -x`."""
    return (
        '<?xml version="1.0" ?>\n'
        '<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v13.dtd">\n'
        "<nvidia_smi_log>\n"
        f"\t<driver_version>580.95.05</driver_version>\n\t<cuda_version>{cuda}</cuda_version>\n"
        f"\t<attached_gpus>{len(cards)}</attached_gpus>\n{''.join(cards)}</nvidia_smi_log>"
    )


ROW = f"0, NVIDIA GeForce RTX 2070 SUPER, {FIRST}, 8192, 412, 580.95.05, 7.5"
OPEN = (
    "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build  "
    "(dvs-builder@U22-I3-G21-02-5)  Tue Sep 23 09:55:41 UTC 2025"
)


def look(
    rows: tuple[str, ...] = (ROW,),
    xml: str | None = None,
    kernel: str = "mokutil=",
    status: int = 0,
) -> Nvidia:
    """Return what is parsed of the look at an RTX 2070 SUPER under the open driver 580.95.05."""
    lines = ["##smi", *(f"xml={line}" for line in (log(gpu()) if xml is None else xml).split("\n"))]
    lines += ["status=0", *(f"csv={row}" for row in rows)]
    lines += ["##pci", f"{ADDRESS} 0x1e84 nvidia", "##proc", OPEN]
    lines += ["##kernel", "modules=nvidia ", "loaded=580.95.05", "on_disk=580.95.05"]
    lines += ["release=6.8.0-79-generic", *kernel.split("\n")]
    return Nvidia.from_lines(lines)


GOOD = look()
FREE_CARD = Card(ADDRESS, "0x1e84", "")
BARE = Nvidia(cards=(FREE_CARD,), kernel="6.8.0-79-generic")
MISMATCH = Nvidia(
    cards=(Card(ADDRESS, "0x1e84", "nvidia"),), status=18, loaded="580.95.05",
    error="Failed to initialize NVML: Driver/library version mismatch", on_disk="580.105.08",
    modules=frozenset({"nvidia"}),
)  # fmt: skip


def held_by(module: str, **more: object) -> Nvidia:
    """Return a host whose card another module holds."""
    card = Card(ADDRESS, "0x1e84", module)
    return replace(BARE, cards=(card,), modules=frozenset({module}), **more)  # type: ignore[arg-type]


def with_driver(version: str) -> Nvidia:
    """Return the good host with a driver of another version."""
    gpus = tuple(replace(found, driver=version) for found in GOOD.gpus)
    return replace(GOOD, gpus=gpus, loaded=version, on_disk=version)


def stack(**values: object) -> Stack:
    """Declare the defaults with some settings changed."""
    return declare(merge([defaults_layer(), Layer("test", values)]))
