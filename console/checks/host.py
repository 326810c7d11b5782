"""This machine and its user: rights, packages, who is at work, disk, proxies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date

from console.checks.finding import Check, failed, notable, well
from console.checks.looked import Looked
from tasks.apt.apt import HOLDERS_SCRIPT, lock_holders, locked_remedy
from tasks.converge.downloads import proxy_notes
from tasks.declared.stack import Stack
from tasks.host.access import access
from tasks.host.observed import ObservedHost
from tasks.host.support import support_note
from tasks.run import hostlock
from tasks.words.numbers import bytes_text

GB = 10**9
# Where Debian and Ubuntu take private certificates from (update-ca-certificates(8)).
PRIVATE_CAS = "find /usr/local/share/ca-certificates -name '*.crt' 2>/dev/null; true"


def host_checks(looked: Looked) -> Iterator[Check]:
    """Check who may do what here, and whether somebody is at it now."""
    host, stack = looked.host, looked.stack
    yield from access_checks(host)
    for note in support_note(host.distribution, date.today()):
        yield notable("distribution", note)
    script = hostlock.look_script(stack.container_prefix)
    seen = looked.root.sh(script).stdout
    at_work = hostlock.at_work(seen)
    if hostlock.is_unseen(seen):
        remedy = "look as root or as a member of the group docker"
        yield notable("run", "whether a run is at work cannot be seen by this user", remedy)
    if at_work:
        remedy = "wait until it ends; what is found below may be its work"
        yield notable("run", f"at work now: {at_work}", remedy)
    for holder in lock_holders(looked.root.sh(HOLDERS_SCRIPT).stdout.splitlines()):
        yield notable("packages", str(holder), locked_remedy(holder.pid))


def access_checks(host: ObservedHost) -> Iterator[Check]:
    """Check as whom a converge would go on (fault 36), and the group docker."""
    decided = access(host)
    if decided.failure is not None:
        yield failed("user", decided.failure)
    elif decided.note:
        yield notable("user", decided.note, "what it names wants a user with sudo")
    else:
        as_whom = {"root": "is root", "sudo": "may use sudo without being asked"}
        yield well("user", f"{host.user or host.uid} {as_whom[decided.kind]}")
    if host.user in host.docker_group and "docker" not in host.groups:
        yield notable(
            "group docker",
            f"{host.user} was added to the group docker after this login",
            "log out and in again, or newgrp docker; id -nG shows it",
        )


def disk_check(host: ObservedHost, stack: Stack) -> Check:
    """Compare what is free where Docker keeps its data with the declared reserve (fault 13)."""
    if host.disk_free is None:
        return notable("disk", f"nobody can tell what is free at {host.data_root}")
    return Check(
        "disk",
        host.disk_free >= stack.disk_reserve_gb * GB,
        f"{bytes_text(host.disk_free)} are free at {host.data_root},"
        f" {bytes_text(stack.disk_reserve_gb * GB)} are to stay free",
        "free some space: docker system df shows what Docker uses",
    )


def way_out_checks(looked: Looked) -> Iterator[Check]:
    """Check what the host uses to reach registries and the containers do not (fault 18)."""
    stack = looked.stack
    for note in proxy_notes(looked.host.proxies, stack):
        yield notable("proxy", note, "./main.sh setup brings it into the containers")
    yield from ca_checks(stack, looked.plain.sh(PRIVATE_CAS).stdout.splitlines())


def ca_checks(stack: Stack, private: list[str]) -> Iterator[Check]:
    """Check the private certificate: of the containers, and those that the host trusts."""
    path = stack.ca_certificate
    if path and not os.access(path, os.R_OK):
        cause = f"{path} is not there, or not readable"
        yield Check("CA certificate", False, cause, "put it there, or mend ca_certificate")
    elif private and not path:
        names = ", ".join(sorted(private))
        yield notable(
            "CA certificate",
            f"this host trusts private certificates ({names}), the containers do not",
            "if the model registry or a proxy needs one: ca_certificate in stack.toml",
        )
