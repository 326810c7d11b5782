"""Apt repositories that a stage may add: where they are, whose key signs them, and their file."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.declared.stack import Stack
from tasks.host.observed import ObservedHost

DOCKER = "https://download.docker.com/linux"
NVIDIA = "https://nvidia.github.io/libnvidia-container"


@dataclass(frozen=True)
class Repository:
    """An apt repository of another than the distribution. `suite` may end in "/" (a flat one).

    `key_setting` is the setting that holds the fingerprint.
    """

    name: str
    url: str
    suite: str
    components: str
    key_url: str
    fingerprint: str
    key_setting: str

    @property
    def file(self) -> str:
        """The file that names the repository to apt."""
        return f"/etc/apt/sources.list.d/{self.name}.sources"

    @property
    def key_file(self) -> str:
        """The file with the repository's key."""
        return f"/etc/apt/keyrings/{self.name}.asc"

    def deb822(self, key_file: str = "") -> str:
        """Return the repository as a .sources file (deb822)."""
        lines = ["Types: deb", f"URIs: {self.url}", f"Suites: {self.suite}"]
        if self.components:
            lines.append(f"Components: {self.components}")
        lines.append(f"Signed-By: {key_file or self.key_file}")
        return "\n".join(lines) + "\n"


def docker_repository(host: ObservedHost, stack: Stack) -> Repository:
    """Return Docker's repository for a host's distribution (docs.docker.com/engine/install).

    A mirror of it holds the same files at the same places: `gpg`, `dists` and `pool`.
    """
    base = stack.docker_apt_url or f"{DOCKER}/{host.distribution.id}"
    return Repository(
        name="docker",
        url=base,
        suite=host.distribution.codename,
        components="stable",
        key_url=f"{base}/gpg",
        fingerprint=stack.docker_apt_key,
        key_setting="docker_apt_key",
    )


def toolkit_repository(architecture: str, stack: Stack) -> Repository:
    """Return NVIDIA's repository of the toolkit: one flat repository for all suites.

    `architecture` is dpkg's word. A mirror holds `gpgkey` and `stable/deb` as NVIDIA's does
    (docs.nvidia.com/datacenter/cloud-native/container-toolkit).
    """
    base = stack.toolkit_apt_url or NVIDIA
    return Repository(
        name="nvidia-container-toolkit",
        url=f"{base}/stable/deb/{architecture}",
        suite="/",
        components="",
        key_url=f"{base}/gpgkey",
        fingerprint=stack.toolkit_apt_key,
        key_setting="toolkit_apt_key",
    )
