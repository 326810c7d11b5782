"""Apt repositories that a stage may add: where they are, whose key signs them, and their file."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tasks.host.observed import ObservedHost


@dataclass(frozen=True)
class Repository:
    """An apt repository of another than the distribution. `suite` may end in "/" (a flat one)."""

    name: str
    url: str
    suite: str
    components: str
    key_url: str
    fingerprint: str

    @property
    def file(self) -> str:
        """The file that names the repository to apt."""
        return f"/etc/apt/sources.list.d/{self.name}.sources"

    @property
    def key_file(self) -> str:
        """The file with the repository's key."""
        return f"/etc/apt/keyrings/{self.name}.asc"

    def on(self, architecture: str) -> Repository:
        """Return the repository for another architecture than amd64, where its address names it."""
        return replace(self, url=self.url.replace("/amd64", f"/{architecture}"))

    def deb822(self, key_file: str = "") -> str:
        """Return the repository as a .sources file (deb822)."""
        lines = ["Types: deb", f"URIs: {self.url}", f"Suites: {self.suite}"]
        if self.components:
            lines.append(f"Components: {self.components}")
        lines.append(f"Signed-By: {key_file or self.key_file}")
        return "\n".join(lines) + "\n"


def docker_repository(host: ObservedHost) -> Repository:
    """Return Docker's repository for a host's distribution (docs.docker.com/engine/install)."""
    base = f"https://download.docker.com/linux/{host.distribution.id}"
    return Repository(
        name="docker",
        url=base,
        suite=host.distribution.codename,
        components="stable",
        key_url=f"{base}/gpg",
        fingerprint="9DC858229FC7DD38854AE2D88D81803C0EBFCD88",
    )
