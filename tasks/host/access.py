"""As whom a run may act on a host: root, sudo, a member of the docker group, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tasks.host.observed import ObservedHost
from tasks.words.steps import Failure

ADMIN_GROUPS = frozenset({"sudo", "wheel", "admin"})


@dataclass(frozen=True)
class Access:
    """How a run goes on: `kind`, and what to say. `failure` is there exactly where it cannot."""

    kind: Literal["root", "sudo", "docker", "none"]
    failure: Failure | None = None
    note: str = ""


def access(host: ObservedHost) -> Access:
    """Decide as whom to go on. Nothing here asks for a password."""
    if not host.is_known:
        cause = "the shell on the host did not run the script that looks at it"
        remedy = "run again with -vv and read what the host's shell said"
        return Access("none", Failure("the host could not be looked at", cause, remedy))
    if host.is_root:
        return Access("root")
    if host.can_sudo:
        return Access("sudo")
    if host.answers_user:
        note = (
            f"{host.user} may use Docker and not sudo: containers and models are kept in order; "
            "what needs root (packages, daemon.json, the GPU toolkit) is not done."
        )
        return Access("docker", note=note)
    return Access("none", root_needed(host, "this user can neither become root nor use Docker"))


def root_needed(host: ObservedHost, what: str) -> Failure:
    """Say why root is out of reach and what opens the way (fault 36)."""
    cause, remedy = _sudo_trouble(host)
    joined = _docker_group(host)
    return Failure(what, cause, f"{remedy}{f'; {joined}' if joined else ''}")


def _sudo_trouble(host: ObservedHost) -> tuple[str, str]:
    user = host.user or f"UID {host.uid}"
    as_root = f"log in as root (su -) and type: usermod -aG sudo {user}; then log in again"
    if not host.sudo:
        install = f"su -c 'apt-get install sudo && usermod -aG sudo {user}'"
        return "there is no sudo on this host", f"{install}, then log in again; or run as root"
    said = f' (sudo: "{host.sudo_said}")' if host.sudo_said else ""
    if "not in the sudoers" in host.sudo_said or "may not run" in host.sudo_said:
        return f"{user} may not use sudo{said}", as_root
    if ADMIN_GROUPS & set(host.groups):
        return (
            f"sudo wants the password of {user}, and nothing here asks for it{said}",
            "type sudo -v in this terminal and run again; or allow it for good: "
            f"echo '{user} ALL=(ALL) NOPASSWD:ALL' | sudo tee /etc/sudoers.d/{user}",
        )
    # sudo says "a password is required" to strangers too; the groups are the better witness.
    return f"{user} is in none of the groups that may use sudo{said}", as_root


def _docker_group(host: ObservedHost) -> str:
    if not host.docker and not host.dockerd:
        return ""
    if host.user in host.docker_group and "docker" not in host.groups:
        return (
            f"{host.user} was added to the group docker after this login: log out and in again "
            "(id -nG shows it)"
        )
    return (
        f"to use the Docker that is here without root, as root: usermod -aG docker {host.user}, "
        "and log in again"
    )
