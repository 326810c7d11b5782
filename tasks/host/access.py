"""As whom a run may act on a host: root, sudo, a member of the docker group, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tasks.host import messages
from tasks.host.observed import ObservedHost
from tasks.words.failures import Failure
from tasks.words.messages import Text

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
        what = "the host could not be looked at"
        return Access("none", Failure(what, messages.NO_LOOK(), messages.READ_SHELL()))
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
    other = _docker_group(host)
    if other is not None:
        remedy = messages.WITHOUT_ROOT(remedy=remedy, other=other)
    return Failure(what, cause, remedy)


def _sudo_trouble(host: ObservedHost) -> tuple[Text, Text]:
    user = host.user or f"UID {host.uid}"
    if not host.sudo:
        return messages.NO_SUDO(), messages.INSTALL_SUDO(user=user)
    said = messages.SUDO_SAID(words=host.sudo_said) if host.sudo_said else ""
    if "not in the sudoers" in host.sudo_said or "may not run" in host.sudo_said:
        return messages.NO_SUDOER(user=user, said=said), messages.JOIN_SUDO(user=user)
    if ADMIN_GROUPS & set(host.groups):
        return (
            messages.WANTS_PASSWORD(user=user, said=said),
            messages.TYPE_PASSWORD(user=user),
        )
    # sudo says "a password is required" to strangers too; the groups are the better witness.
    return messages.IN_NO_GROUP(user=user, said=said), messages.JOIN_SUDO(user=user)


def _docker_group(host: ObservedHost) -> Text | None:
    if not host.docker and not host.dockerd:
        return None
    if host.user in host.docker_group and "docker" not in host.groups:
        return messages.LOG_IN_AGAIN(user=host.user)
    return messages.JOIN_DOCKER(user=host.user)
