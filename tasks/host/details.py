"""What the inventory tells of a host besides its services."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HostDetails:
    """What is known of a host besides its services; "" where it is not known."""

    os: str = ""
    gpu: str = ""
    driver: str = ""
    cuda: str = ""
    toolkit: str = ""
