"""The root file system of fresh hosts: Debian with systemd and ssh, made once and kept."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from pathlib import Path

from lab.paths import cache_folder
from lab.say import step
from lab.shell import as_root, find, read, require_root, run
from lab.tools import ensure_packages

SUITE = "bookworm"
PACKAGES = (
    "systemd",
    "systemd-sysv",
    "openssh-server",
    "python3-minimal",
    "sudo",
    "ca-certificates",
    "iproute2",
    "dbus",
)
USER, USER_ID = "dev", 1000
# Done inside the new root; each host makes ssh keys of its own when ssh first starts.
_FINISH = f"""
useradd --create-home --uid {USER_ID} --shell /bin/bash {USER}
mkdir -p /etc/systemd/system/ssh.service.d
cat >/etc/systemd/system/ssh.service.d/keys.conf <<END
[Service]
ExecStartPre=
ExecStartPre=/usr/bin/ssh-keygen -A
ExecStartPre=/usr/sbin/sshd -t
END
rm -f /etc/ssh/ssh_host_* /etc/hostname /var/lib/dbus/machine-id
: >/etc/machine-id
rm -rf /var/cache/apt/*.bin /var/cache/apt/archives/*.deb /var/lib/apt/lists/*
rm -rf /usr/share/doc/* /usr/share/man/* /usr/share/locale/*
systemctl mask systemd-logind.service getty.target console-getty.service
"""
_SETTING = re.compile(
    r"^Acquire::(?:https?::(?:Proxy|Timeout)[^ ]*|Check-Valid-Until|Check-Date|Retries"
    r'|ForceIPv4) ".+";$'
)


def image_name() -> str:
    """Return the name of the hosts' image in the engine; another recipe is another tag."""
    return f"ollama-stack-lab/host:{_version()}"


def archive() -> Path:
    """Return the tar of the root file system; made if the cache lacks it."""
    target = cache_folder() / "hosts" / f"{_version()}.tar"
    if not target.is_file():
        require_root("making a fresh host's root file system")
        ensure_packages(("debootstrap", "debian-archive-keyring"), "Install debootstrap")
        with step("Make a fresh host's root file system (about 1 minute, once)"):
            _make(target)
    return target


def apt_sources() -> str:
    """Return this machine's apt sources of the suite, for the hosts; "" where it has none."""
    shape = "$(REPO_URI) $(CODENAME) $(COMPONENT)"
    shown = read(["apt-get", "indextargets", "--format", shape, "Created-By: Packages"])
    entries: dict[tuple[str, str], list[str]] = {}
    for line in sorted(set(shown.splitlines())):
        uri, codename, component = line.split()
        if codename == SUITE or codename.startswith(f"{SUITE}-"):
            entries.setdefault((uri, codename), []).append(component)
    return "".join(f"deb {uri} {code} {' '.join(c)}\n" for (uri, code), c in entries.items())


def apt_settings() -> str:
    """Return this machine's settings of how apt reaches its sources, proxies among them."""
    lines = [line for line in read(["apt-config", "dump"]).splitlines() if _SETTING.match(line)]
    for scheme in ("http", "https"):
        proxy = os.environ.get(f"{scheme}_proxy") or os.environ.get(f"{scheme.upper()}_PROXY")
        if proxy and not any(f"{scheme}::Proxy " in line for line in lines):
            lines.append(f'Acquire::{scheme}::Proxy "{proxy}";')
    return "".join(f"{line}\n" for line in lines)


def _version() -> str:
    recipe = json.dumps([SUITE, PACKAGES, _FINISH])
    return f"{SUITE}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


def _make(target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_suffix(".new")
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        root = Path(name) / "root"
        include = f"--include={','.join(PACKAGES)}"
        command = [find("debootstrap") or "debootstrap", "--variant=minbase", include, SUITE]
        run(as_root([*command, str(root), *_mirror()]), timeout=900, log="debootstrap")
        run(as_root(["chroot", str(root), "sh", "-ec", _FINISH]), timeout=60, log="debootstrap")
        run(as_root(["tar", "-C", str(root), "-cf", str(new), "."]), timeout=300)
        run(as_root(["rm", "-rf", "--one-file-system", str(root)]), timeout=60)
    for old in target.parent.glob("*.tar"):
        old.unlink()
    new.rename(target)


def _mirror() -> list[str]:
    """Return this machine's mirror of the suite, nothing where debootstrap should choose."""
    for line in apt_sources().splitlines():
        _, uri, codename, _ = line.split(" ", 3)
        if codename == SUITE:
            return [uri]
    return []
