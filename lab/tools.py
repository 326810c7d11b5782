"""Programs that the lab needs: installed by apt, or only unpacked into the cache."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lab.errors import LabError
from lab.paths import cache_folder
from lab.say import step
from lab.shell import as_root, find, read, require_root, run

# Their packages would start services of their own (nginx on port 80): only unpacked.
UNPACKED = ("nginx", "docker-registry")
NGINX_LIBRARIES = ("libpcre2-8-0", "libssl3", "zlib1g", "libcrypt1")
BUILD_PACKAGES = ("gcc", "g++", "libc6-dev", "nlohmann-json3-dev", "libstb-dev", "ca-certificates")
NOT_DEBIAN = "run the lab on Debian or Ubuntu, or in a virtual machine of one"


def nginx() -> Path:
    """Return the unpacked nginx."""
    return _unpacked() / "usr/sbin/nginx"


def docker_registry() -> Path:
    """Return the unpacked docker-registry."""
    return _unpacked() / "usr/bin/docker-registry"


def ensure_unpacked() -> None:
    """Unpack nginx and docker-registry into the cache unless they are there."""
    if nginx().is_file() and docker_registry().is_file():
        return
    _require_apt()
    with step("Unpack nginx and docker-registry into the cache"):
        _unpack()
        if "not found" in read(["ldd", str(nginx())]):
            install(NGINX_LIBRARIES, "Install the libraries of nginx")


def ensure_programs(programs: dict[str, str], label: str) -> None:
    """Install the packages of the programs that are missing ({"ip": "iproute2"})."""
    missing = sorted({package for name, package in programs.items() if find(name) is None})
    if missing:
        install(missing, label)


def ensure_packages(packages: Sequence[str], label: str) -> None:
    """Install the packages that dpkg does not list as installed."""
    shown = read(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *packages])
    # dpkg-query fails when any is unknown, and then `shown` is empty.
    present = {line.split()[0] for line in shown.splitlines() if line.endswith(" installed")}
    missing = [name for name in packages if name not in present]
    if missing:
        install(missing, label)


def install(packages: Sequence[str], label: str) -> None:
    """Install packages by apt."""
    _require_apt()
    require_root(label)
    with step(f"{label} ({', '.join(packages)})"):
        _apt_get("install", "-y", "--no-install-recommends", *packages)


def download(packages: Sequence[str], folder: Path) -> None:
    """Download packages into a folder, without installing them."""
    _require_apt()
    command = ["apt-get", "download", *packages]
    try:
        run(command, timeout=300, log="apt", folder=folder)
    except LabError:
        run(as_root(["apt-get", "update"]), timeout=300, log="apt")
        run(command, timeout=300, log="apt", folder=folder)


def _apt_get(*words: str) -> None:
    command = as_root(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", *words])
    try:
        run(command, timeout=900, log="apt")
    except LabError:
        # Package lists that are absent or old: fetch them, then once more.
        run(as_root(["apt-get", "update"]), timeout=300, log="apt")
        run(command, timeout=900, log="apt", remedy="see the log; is the network there?")


def _unpack() -> None:
    target = _unpacked()
    with tempfile.TemporaryDirectory(dir=cache_folder()) as name:
        folder = Path(name)
        download(UNPACKED, folder)
        for package in folder.glob("*.deb"):
            run(["dpkg", "-x", str(package), str(folder / "all")], timeout=60, log="apt")
        shutil.rmtree(target, ignore_errors=True)
        (folder / "all").rename(target)


def _unpacked() -> Path:
    return cache_folder() / "packages"


def _require_apt() -> None:
    if find("apt-get") is None or find("dpkg") is None:
        raise LabError("the lab takes what it needs from Debian's packages", NOT_DEBIAN)
