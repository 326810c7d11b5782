"""The lab's fresh hosts as an inventory sees them: the way to each, and what is declared there."""

from __future__ import annotations

from typing import Any

from lab.host_files import keys_folder
from lab.stack_file import CONTEXT, SERVICES
from lab.state import Host, LabState


def hosts_of(lab: LabState) -> list[tuple[str, dict[str, Any]]]:
    """Return each host with the way to it."""
    return [(host.name, way_to(host)) for host in lab.hosts if host.address]


def way_to(host: Host) -> dict[str, Any]:
    """Return what pyinfra has to know to log in; the lab has written the host's key down."""
    return {
        "ssh_hostname": host.address,
        "ssh_port": host.port,
        "ssh_user": host.user,
        "ssh_key": host.key,
        "ssh_known_hosts_file": str(keys_folder() / "known_hosts"),
        "ssh_strict_host_key_checking": "yes",
    }


def settings(lab: LabState) -> dict[str, Any]:
    """Return what is declared for such a host: tiny models, no card, the lab's registries."""
    return {
        "gpu": "off",
        "clients": [],
        "docker_source": "distro",
        "disk_reserve_gb": 0,
        "image_mirror": f"{lab.addresses.gateway}:{lab.ports.images}",
        "image_mirror_insecure": True,
        "model_registry": lab.model_registry,
        "model_registry_insecure": True,
        "models_override": {
            name: {"model": model, "context": CONTEXT, "agent": ""}
            for name, model in SERVICES.items()
        },
    }
