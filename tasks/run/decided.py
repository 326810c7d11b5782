"""What the first stages of a run decided for the later ones."""

from __future__ import annotations

from dataclasses import dataclass, field

from tasks.words.plan import Plan


@dataclass(frozen=True)
class HostDetails:
    """What is known of a host besides its services; "" where it is not known."""

    os: str = ""
    gpu: str = ""
    driver: str = ""
    cuda: str = ""
    toolkit: str = ""


@dataclass(frozen=True)
class Decided:
    """What holds for all services of a run on one host.

    `gpu_on_hold`: the driver waits for a reboot, and whoever has the GPU keeps it. `engine_needs`
    is what steps of services wait for ("after Docker Engine is installed"). `plan` is the plan as
    it was shown, None before.
    """

    gpu_is_usable: bool = False
    gpu_on_hold: bool = False
    engine_needs: str = ""
    plan: Plan | None = None
    details: HostDetails = field(default_factory=HostDetails)
