"""What makes the bare image of a fresh host a certain one: its keys, rights and way to apt."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

from lab import rootfs
from lab.paths import made_state_folder
from lab.shell import run
from lab.state import Host
from lab.tools import ensure_programs

CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


def ensure_key() -> Path:
    """Return the lab's private ssh key; made if absent."""
    ensure_programs({"ssh-keygen": "openssh-client"}, "Install ssh")
    key = keys_folder() / "id_ed25519"
    if not key.exists():
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", str(key)])
    return key


def furniture(host: Host) -> bytes:
    """Return the tar to unpack into a host's container."""
    return _archive(_files(host), host.user)


def write_ssh_files(hosts: tuple[Host, ...], public_keys: Mapping[str, str]) -> Path:
    """Write known_hosts and an ssh configuration that names every host; return the latter.

    `public_keys`: address of a host → the line of its public key; others' lines are kept.
    """
    folder = keys_folder()
    known = folder / "known_hosts"
    lines = dict(
        line.split(" ", 1) for line in (known.read_text() if known.exists() else "").splitlines()
    )
    lines |= {address: " ".join(key.split()[:2]) for address, key in public_keys.items()}
    known.write_text("".join(f"{address} {key}\n" for address, key in lines.items()))
    configuration = folder / "ssh_config"
    configuration.write_text(
        "".join(
            f"Host {host.name}\n  HostName {host.address}\n  User {host.user}\n"
            f"  IdentityFile {host.key}\n  UserKnownHostsFile {known}\n"
            for host in hosts
            if host.address
        )
    )
    return configuration


def keys_folder() -> Path:
    """Return the folder of keys, known_hosts and ssh_config."""
    return made_state_folder("keys")


def _files(host: Host) -> dict[str, str]:
    """Return what makes the bare image this host: keys, rights, and this machine's way to apt."""
    public = Path(f"{host.key}.pub").read_text()
    files = {
        "root/.ssh/authorized_keys": public,
        f"home/{host.user}/.ssh/authorized_keys": public,
        "etc/apt/apt.conf.d/90lab": rootfs.apt_settings(),
        "etc/ssl/certs/ca-certificates.crt": CERTIFICATES.read_text(),
    }
    sources = rootfs.apt_sources()
    if sources:
        files["etc/apt/sources.list"] = sources
    if host.sudo:
        files[f"etc/sudoers.d/{host.user}"] = f"{host.user} ALL=(ALL) NOPASSWD: ALL\n"
    return files


def _archive(files: Mapping[str, str], user: str) -> bytes:
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w") as archive:
        for name in ("root/.ssh", f"home/{user}/.ssh"):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o700
            archive.addfile(_owned(entry, user))
        for name, text in files.items():
            content = text.encode()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), _mode(name)
            archive.addfile(_owned(entry, user), io.BytesIO(content))
    return output.getvalue()


def _owned(entry: tarfile.TarInfo, user: str) -> tarfile.TarInfo:
    if entry.name.startswith(f"home/{user}/"):
        entry.uid = entry.gid = rootfs.USER_ID
    return entry


def _mode(name: str) -> int:
    if name.startswith("etc/sudoers.d/"):
        return 0o440
    return 0o600 if "/.ssh/" in name else 0o644
