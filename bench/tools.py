"""The other tools, at fixed versions, each in a folder of its own under the cache."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.errors import BenchError
from lab.paths import cache_folder
from lab.say import line, step
from lab.shell import find, read

# `ansible` brings the collection community.docker, whose modules need requests.
ANSIBLE = ("ansible-core==2.19.14", "ansible==12.3.0", "requests==2.34.2")
ANSIBLE_SECONDS = 900
# The newest that speaks to engines before 25 as well: v5 refuses their API.
COMPOSE = "github.com/docker/compose/v2"
COMPOSE_VERSION = "v2.40.3"
COMPOSE_SECONDS = 2400


def ansible() -> Path:
    """Return the folder of Ansible's programs; installed once."""
    name = "-".join(package.split("==")[1] for package in ANSIBLE)
    folder = _bench_cache() / f"ansible-{name}"
    programs = folder / "bin"
    if (folder / "complete").is_file():
        return programs
    shutil.rmtree(folder, ignore_errors=True)
    with step("Install Ansible into the cache (once)"):
        _run([sys.executable, "-m", "venv", str(folder)], ANSIBLE_SECONDS)
        _run([str(programs / "pip"), "install", "--quiet", *ANSIBLE], ANSIBLE_SECONDS)
    (folder / "complete").touch()
    return programs


def compose() -> list[str]:
    """Return the words that call Compose; none where it cannot be had."""
    if read(["docker", "compose", "version"]):
        return ["docker", "compose"]
    binary = _bench_cache() / f"compose-{COMPOSE_VERSION}" / "docker-compose"
    if not binary.is_file():
        try:
            _build_compose(binary)
        except BenchError as error:
            line(f"Compose could not be had: {error}")
            return []
    return [str(binary)]


def _build_compose(binary: Path) -> None:
    """Build Compose in a copy of its module: `go install` refuses a module with excludes."""
    go = find("go")
    if go is None:
        raise BenchError("neither `docker compose` nor Go is here", "install either")
    binary.parent.mkdir(parents=True, exist_ok=True)
    flags = f"-s -w -X {COMPOSE}/internal.Version={COMPOSE_VERSION}"
    with (
        step("Build Compose from its Go module (up to 20 minutes, once)"),
        tempfile.TemporaryDirectory(dir=_bench_cache()) as name,
    ):
        module = [go, "mod", "download", "-json", f"{COMPOSE}@{COMPOSE_VERSION}"]
        found = json.loads(_run(module, COMPOSE_SECONDS, folder=Path(name)))
        source = Path(name) / "source"
        shutil.copytree(found["Dir"], source, copy_function=shutil.copyfile)
        for folder, _, _ in os.walk(source):
            Path(folder).chmod(0o755)
        build = [go, "build", "-trimpath", "-ldflags", flags, "-o", f"{name}/built", "./cmd"]
        more = {"CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"}
        _run(build, COMPOSE_SECONDS, folder=source, environment=more)
        (Path(name) / "built").rename(binary)


def _bench_cache() -> Path:
    folder = cache_folder() / "bench"
    folder.mkdir(exist_ok=True)
    return folder


def _run(
    command: Sequence[str],
    seconds: float,
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BenchError(f"`{command[0]}` took more than {seconds:.0f} s", "run again") from None
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        raise BenchError(f"`{Path(command[0]).name}` failed: {words[-1]}", "see what it needs")
    return done.stdout
