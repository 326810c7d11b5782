"""Signed apt repositories that stand in for Docker's and NVIDIA's, some of them broken on purpose.

docker, nvidia         as they should be
docker-no-suite        the key, and no suite at all
docker-empty           suites whose index lists nothing, as Docker's are for a new Ubuntu
docker-gone            suites whose index lists packages that are not there
docker-other-key       shows and is signed with another key
docker-forged          shows the right key, and is signed with the other one
nvidia-other-key       the same of NVIDIA's as docker-other-key
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from lab import debs
from lab.paths import cache_folder
from lab.say import step
from lab.shell import read, run
from lab.tools import ensure_programs

SUITES = ("noble", "questing")
KEYS = ("own", "other")


@dataclass(frozen=True)
class Shape:
    """What a repository shows: whose key, whose signature, which suites, what they list and hold.

    The suite of a flat repository is "".
    """

    key: str = "own"
    signer: str = "own"
    suites: tuple[str, ...] = SUITES
    is_listed: bool = True
    is_held: bool = True


SHAPES = {
    "docker": Shape(),
    "docker-no-suite": Shape(suites=()),
    "docker-empty": Shape(is_listed=False),
    "docker-gone": Shape(is_held=False),
    "docker-other-key": Shape("other", "other"),
    "docker-forged": Shape(signer="other"),
    "nvidia": Shape(suites=("",)),
    "nvidia-other-key": Shape("other", "other", suites=("",)),
}


@contextmanager
def serve(address: str) -> Iterator[str]:
    """Serve the repositories on an address while the block runs; yields the URL above them all."""
    handler = partial(_Quiet, directory=str(repositories()))
    with ThreadingHTTPServer((address, 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://{address}:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def fingerprint(key: str) -> str:
    """Return the fingerprint of one of the KEYS, as gpg tells it."""
    return (repositories() / f"{key}.fingerprint").read_text()


def repositories() -> Path:
    """Return the folder of all repositories; made if the cache lacks it."""
    target = cache_folder() / "apt" / _version()
    if not target.is_dir():
        ensure_programs({"gpg": "gnupg", "dpkg-deb": "dpkg"}, "Install gpg")
        with step("Build stand-ins for Docker's and NVIDIA's packages (under 1 minute, once)"):
            _make(target)
    return target


def packages_index(entries: Mapping[str, str], files: Mapping[str, bytes]) -> str:
    """Return apt's Packages of some files: `entries` are their control files, both by file name."""
    return "\n".join(
        f"{entries[name].strip()}\nFilename: {name}\nSize: {len(content)}\n"
        f"SHA256: {hashlib.sha256(content).hexdigest()}\n"
        for name, content in files.items()
    )


def release(suite: str, architecture: str, indexes: Mapping[str, str], at: datetime) -> str:
    """Return apt's Release of a suite ("" for a flat one): its indexes with size and digest."""
    lines = ["Origin: lab", f"Date: {format_datetime(at, usegmt=True)}"]
    if suite:
        lines += [f"Codename: {suite}", "Components: stable", f"Architectures: {architecture}"]
    lines.append("SHA256:")
    for path, text in indexes.items():
        content = text.encode()
        lines.append(f" {hashlib.sha256(content).hexdigest()} {len(content)} {path}")
    return "\n".join(lines) + "\n"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the output belongs to who serves."""


def _version() -> str:
    recipe = b"".join(Path(file).read_bytes() for file in (__file__, debs.__file__))
    return hashlib.sha256(recipe).hexdigest()[:12]


def _make(target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        new, work = Path(name) / "new", Path(name) / "work"
        for folder in (new, work):
            folder.mkdir()
        debs.build_engine(work, new / "pool/docker")
        debs.build_toolkits(work, new / "pool/nvidia")
        home = work / "gpg"
        home.mkdir(mode=0o700)
        try:
            for key in KEYS:
                _make_key(home, key, new)
            for root, shape in SHAPES.items():
                _publish(new, new / root, shape, home)
        finally:
            # The private keys go with the folder, and the agent that holds them with this.
            run(["gpgconf", "--homedir", str(home), "--kill", "all"])
        for old in target.parent.glob("????????????"):
            shutil.rmtree(old)
        new.rename(target)


def _gpg(home: Path, *words: str) -> list[str]:
    return ["gpg", "--homedir", str(home), "--batch", "--yes", "--quiet", *words]


def _make_key(home: Path, key: str, target: Path) -> None:
    who = f"{key}@lab.invalid"
    make = _gpg(home, "--passphrase", "", "--quick-generate-key", who, "ed25519", "sign", "never")
    run(make, timeout=120)
    run(_gpg(home, "--armor", "--output", str(target / f"{key}.asc"), "--export", who))
    told = read(_gpg(home, "--with-colons", "--list-keys", who))
    lines = (line.split(":") for line in told.splitlines())
    (target / f"{key}.fingerprint").write_text(next(row[9] for row in lines if row[0] == "fpr"))


def _publish(top: Path, root: Path, shape: Shape, home: Path) -> None:
    """Write one repository; the files of packages are links to those that all share."""
    family = root.name.partition("-")[0]
    architecture = debs.architecture()
    root.mkdir()
    shown = root / ("gpg" if family == "docker" else "gpgkey")
    shown.symlink_to(f"../{shape.key}.asc")
    for suite in shape.suites:
        folder = root / "dists" / suite if suite else root / "stable/deb" / architecture
        path = f"stable/binary-{architecture}/Packages" if suite else "Packages"
        (folder / path).parent.mkdir(parents=True)
        index = _index(top / "pool" / family, "pool/" if suite else "") if shape.is_listed else ""
        (folder / path).write_text(index)
        text = release(suite, architecture, {path: index}, datetime.now(UTC))
        (folder / "Release").write_text(text)
        _sign(home, shape.signer, folder)
    if shape.is_held and shape.suites:
        _link(top / "pool" / family, root / "pool" if shape.suites[0] else folder)


def _index(pool: Path, prefix: str) -> str:
    files = sorted(pool.glob("*.deb"))
    entries = {f"{prefix}{file.name}": read(["dpkg-deb", "--field", str(file)]) for file in files}
    return packages_index(entries, {f"{prefix}{file.name}": file.read_bytes() for file in files})


def _sign(home: Path, signer: str, folder: Path) -> None:
    signed, plain = str(folder / "InRelease"), str(folder / "Release")
    who = f"{signer}@lab.invalid"
    run(_gpg(home, "--local-user", who, "--output", signed, "--clear-sign", plain))


def _link(pool: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for file in pool.glob("*.deb"):
        (folder / file.name).hardlink_to(file)
