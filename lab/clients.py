"""Real client programs, pinned, in the user's cache: what the tests of clients run.

@kilocode/cli and opencode-ai are launchers that choose a package for the machine: the packages
that they choose here are pinned themselves, and hold the programs. A virtual environment knows its
own path, so each set is built in place, and a file written last says that it is whole.
"""

from __future__ import annotations

import fcntl
import hashlib
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab import source
from lab.errors import LabError
from lab.images import NEWER
from lab.paths import cache_folder
from lab.say import step
from lab.shell import find, read, run

PINS = Path(__file__).parent / "pins"
INSTALL_SECONDS = 900
# Continue's command line asks for it.
NODE = 20
MACHINE = ("Linux", "x86_64")
_NODE_REMEDY = f"install Node.js {NODE} or newer with npm (https://nodejs.org)"
_COMPLETE = "complete"


@dataclass(frozen=True)
class Clients:
    """The folders that the clients are installed in; each program by its path."""

    npm: Path
    aider_environment: Path
    python_environment: Path

    @property
    def kilo(self) -> Path:
        """Kilo Code's command line."""
        return self._package("@kilocode/cli-linux-x64/bin/kilo")

    @property
    def opencode(self) -> Path:
        """The command line of opencode."""
        return self._package("opencode-linux-x64/bin/opencode")

    @property
    def cn(self) -> Path:
        """Continue's command line; it runs on the `node` of the PATH."""
        return self._package(".bin/cn")

    @property
    def aider(self) -> Path:
        """The command line of aider."""
        return self.aider_environment / "bin" / "aider"

    @property
    def llm(self) -> Path:
        """The command line of llm."""
        return self.python_environment / "bin" / "llm"

    @property
    def python(self) -> Path:
        """A Python that imports `openai` and `ollama`."""
        return self.python_environment / "bin" / "python"

    @property
    def ollama(self) -> Path:
        """Ollama's own command line, as the lab builds it."""
        return source.ollama(NEWER)

    @property
    def programs(self) -> dict[str, Path]:
        """Each program by its name."""
        names = ("kilo", "opencode", "cn", "aider", "llm", "python", "ollama")
        return {name: getattr(self, name) for name in names}

    def _package(self, name: str) -> Path:
        return self.npm / "node_modules" / name


def ensure() -> Clients:
    """Install the clients that the cache lacks, and say where all are. Raises LabError."""
    lock = PINS / "npm" / "package-lock.json"
    return Clients(
        npm=installed("npm", lock, "Install Kilo, opencode and Continue (once)", _npm_ci),
        aider_environment=installed("aider", *_python_set("aider")),
        python_environment=installed("python", *_python_set("python")),
    )


def folder_of(name: str, pins: Path) -> Path:
    """Return where a set of clients belongs; other pins, another folder."""
    digest = hashlib.sha256(pins.read_bytes()).hexdigest()[:12]
    return cache_folder() / "clients" / f"{name}-{digest}"


def _python_set(name: str) -> tuple[Path, str, Callable[[Path], None]]:
    pins = PINS / f"{name}.txt"
    label = {"aider": "Install aider (once)", "python": "Install llm, openai and ollama (once)"}

    def build(folder: Path) -> None:
        run([sys.executable, "-m", "venv", str(folder)], timeout=INSTALL_SECONDS, log="clients")
        pip = [str(folder / "bin" / "pip"), "install", "--quiet", "--no-deps", "--require-hashes"]
        run(
            [*pip, "-r", str(pins)],
            timeout=INSTALL_SECONDS,
            log="clients",
            remedy="is PyPI reachable? run again",
        )

    return pins, label[name], build


def _npm_ci(folder: Path) -> None:
    _require_machine()
    npm = _npm()
    folder.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(PINS / "npm" / name, folder / name)
    # No script of a package is run: the programs need none.
    run(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        timeout=INSTALL_SECONDS,
        log="clients",
        folder=folder,
        remedy="is npm's registry reachable? run again",
    )


def _require_machine() -> None:
    found = (platform.system(), platform.machine())
    if found != MACHINE:
        raise LabError(
            f"the pinned clients are for {' '.join(MACHINE)}, and this is {' '.join(found)}",
            "run the tests of clients on such a machine, or pin the packages of this one too",
        )


def _npm() -> str:
    """Return npm; LabError where it or a Node.js that is new enough is missing."""
    npm, node = find("npm"), find("node")
    if npm is None or node is None:
        raise LabError(f"{'npm' if node else 'Node.js'} is not installed", _NODE_REMEDY)
    version = read([node, "--version"]).strip()
    if not is_new_enough(version):
        raise LabError(f"Node.js is {version or 'broken'}", _NODE_REMEDY)
    return npm


def is_new_enough(version: str) -> bool:
    """Tell whether a version as `node --version` prints it ("v20.1.0") will do."""
    major = version.removeprefix("v").partition(".")[0]
    return major.isdigit() and int(major) >= NODE


def installed(name: str, pins: Path, label: str, build: Callable[[Path], None]) -> Path:
    """Return the folder of a set, built unless it is whole; one command at a time builds it."""
    folder = folder_of(name, pins)
    if (folder / _COMPLETE).is_file():
        return folder
    with _locked(folder):
        # Another command may have installed it while this one waited.
        if not (folder / _COMPLETE).is_file():
            shutil.rmtree(folder, ignore_errors=True)
            with step(label):
                build(folder)
            (folder / _COMPLETE).touch()
    return folder


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
