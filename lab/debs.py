"""Packages that stand in for Docker's and NVIDIA's: their names and rules, Debian's programs.

The engine inside docker-ce is Debian's docker.io, whatever version its package claims; the toolkit
is a stub. Real are the package names, what conflicts with what, and everything dpkg does with them.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from lab.shell import read, run
from lab.tools import download

ENGINES = ("5:28.5.0-1~lab", "5:29.0.0-1~lab")
CONTAINERD = "2.1.0-1~lab"
TOOLKITS = ("1.17.8-1", "1.18.0-1")
# As Docker's own packages have it.
OTHER_ENGINES = "docker, docker-engine, docker.io, lxc-docker, lxc-docker-virtual-package"
OTHER_RUNTIMES = "containerd, runc"

# The engine looks for the hook when it starts; docker's --gpus needs it to be there.
HOOK = "#!/bin/sh\nexit 0\n"
# Adds the runtime to a daemon.json that ends in "}" and holds something, or writes a new one.
CTK = """#!/bin/sh
[ "$1" = --version ] && echo "NVIDIA Container Toolkit CLI version @VERSION@" && exit
file=${*##*--config=}
runtimes='"runtimes": {"nvidia": {"args": [], "path": "nvidia-container-runtime"}}}'
[ -s "$file" ] && exec sed -i "\\$ s#}\\$#, $runtimes#" "$file"
echo "{$runtimes" >"$file"
"""


def build_engine(work: Path, target: Path) -> None:
    """Build docker-ce, docker-ce-cli and containerd.io into `target`. Needs apt's package lists."""
    download(("docker.io", "containerd", "runc"), work)
    engine, cli, containerd = work / "docker-ce", work / "docker-ce-cli", work / "containerd.io"
    depends = _unpack(work, "docker.io", engine)
    runtimes = f"{_unpack(work, 'containerd', containerd)}, {_unpack(work, 'runc', containerd)}"
    (cli / "usr/bin").mkdir(parents=True)
    (engine / "usr/bin/docker").rename(cli / "usr/bin/docker")
    for version in ENGINES:
        others = {"Conflicts": OTHER_ENGINES, "Replaces": OTHER_ENGINES}
        needs = f"containerd.io, docker-ce-cli, {depends}"
        _build(engine, target, "docker-ce", version, {"Depends": needs, **others})
        _build(cli, target, "docker-ce-cli", version, {"Depends": "libc6", **others})
    fields = dict.fromkeys(("Conflicts", "Replaces", "Provides"), OTHER_RUNTIMES)
    _build(containerd, target, "containerd.io", CONTAINERD, {"Depends": runtimes, **fields})


def build_toolkits(work: Path, target: Path) -> None:
    """Build nvidia-container-toolkit in two versions into `target`."""
    for version in TOOLKITS:
        root = work / f"toolkit-{version}"
        programs = root / "usr/bin"
        programs.mkdir(parents=True)
        told = CTK.replace("@VERSION@", version.partition("-")[0])
        for name, text in (("nvidia-container-runtime-hook", HOOK), ("nvidia-ctk", told)):
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        _build(root, target, "nvidia-container-toolkit", version, {})


def control(name: str, version: str, architecture: str, fields: Mapping[str, str]) -> str:
    """Return a package's control file."""
    head = {"Package": name, "Version": version, "Architecture": architecture}
    tail = {
        "Maintainer": "Nobody <nobody@lab.invalid>",
        "Description": "stand-in of the lab, not the real one",
    }
    return "".join(f"{key}: {value}\n" for key, value in {**head, **fields, **tail}.items())


def without(depends: str, *names: str) -> str:
    """Return what a package depends on, without some packages."""
    return ", ".join(part for part in depends.split(", ") if part.split()[0] not in names)


def _unpack(work: Path, package: str, root: Path) -> str:
    """Unpack a downloaded package over `root`; return what else than a runtime it depends on.

    The scripts are those of the first package there.
    """
    (file,) = work.glob(f"{package}_*.deb")
    run(["dpkg-deb", "--extract", str(file), str(root)], log="apt")
    if not (root / "DEBIAN").exists():
        run(["dpkg-deb", "--control", str(file), str(root / "DEBIAN")], log="apt")
        (root / "DEBIAN/md5sums").unlink()
    # Documentation, and the script by which a purge of docker.io empties /var/lib/docker.
    shutil.rmtree(root / "usr/share", ignore_errors=True)
    return without(
        read(["dpkg-deb", "--field", str(file), "Depends"]).strip(), "containerd", "runc"
    )


def _build(root: Path, target: Path, name: str, version: str, fields: Mapping[str, str]) -> None:
    folder = root / "DEBIAN"
    folder.mkdir(exist_ok=True)
    text = control(name, version, architecture(), fields)
    (folder / "control").write_text(text)
    target.mkdir(parents=True, exist_ok=True)
    # Weak compression: it is made once, and unpacked a few times on the same machine.
    pack = ["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", str(root), str(target)]
    run(pack, timeout=120, log="apt")


def architecture() -> str:
    """Return this machine's architecture as dpkg names it."""
    return read(["dpkg", "--print-architecture"]).strip() or "amd64"
