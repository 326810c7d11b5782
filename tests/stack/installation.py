"""One installation on the lab: a declaration of its own, the real pyinfra, the real engine."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import tomlkit

from lab import forwarding
from lab.state import LabState
from tasks.database.database import rows_of
from tasks.records.lockfile import LockFile
from tasks.records.proven import ServiceLock

ROOT = Path(__file__).resolve().parent.parent.parent
PYINFRA = Path(sys.executable).parent / "pyinfra"
SERVICES = ("qwen", "deepseek", "mistral")
BEGINNING = "Beginning operation run"
STEP = re.compile(r"\[(?P<host>[^]]+)\]\s+(?P<number>\d+)\. (?P<text>.*)")
LINE = re.compile(r"^\s+\[[^]]+\] (?P<text>\S.*)$")
NO_STEP = ("Success", "No changes", "Error", "noop", "Skipped")
RUN_LIMIT = 600
# The one that packages set up: of it a run plans installation, settings and the group of users.
OWN_SOCKET = "/var/run/docker.sock"
# How every run is started: from the root, without a terminal, both outputs as one text.
WITHOUT_TERMINAL: dict[str, Any] = {
    "cwd": ROOT,
    "stdin": subprocess.DEVNULL,
    "stdout": subprocess.PIPE,
    "stderr": subprocess.STDOUT,
    "text": True,
}
# No stack of a person's is named like this: tests remove whatever is.
TEST_PREFIX = "ostest"
OWN_PREFIXES = (TEST_PREFIX, "bench-")


@dataclass(frozen=True)
class Output:
    """What a run printed, and its exit status."""

    status: int
    text: str

    @property
    def planned(self) -> list[str]:
        """The steps of the printed plan."""
        return [m["text"] for m in map(STEP.search, self.text.splitlines()) if m]

    @property
    def done(self) -> list[str]:
        """The steps that the run took."""
        _, _, executed = self.text.partition(BEGINNING)
        lines = [m["text"] for m in map(LINE.match, executed.splitlines()) if m]
        return [line for line in lines if not line.startswith(NO_STEP)]

    @property
    def last(self) -> str:
        """The last lines, where a failed run names each cause and remedy."""
        _, found, words = self.text.rpartition(" on @local:\n")
        return words if found else ""

    @property
    def operations(self) -> dict[str, str]:
        """What pyinfra says of each operation."""
        found: dict[str, str] = {}
        name = ""
        for line in self.text.splitlines():
            if "Starting operation:" in line:
                name = line.partition("Starting operation: ")[2].strip()
            elif name and (match := re.match(r"^\s+\[[^]]+\] (Success|No changes|Error.*)", line)):
                found[name] = match[1]
        return found


@dataclass
class Installation:
    """A stack with its own prefix, ports, database and lock, beside whatever else there is.

    `socket` is the engine's own, for tests; `docker_socket` the one that is declared: where it is
    left out, the same engine at the lab's pace.
    """

    folder: Path
    lab: LabState
    prefix: str
    first_port: int
    settings: dict[str, Any] = field(default_factory=dict)
    namespace: str = ""
    socket: str = OWN_SOCKET
    docker_socket: str = ""
    tools: str = ""
    home: str = ""

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.docker_socket = self.docker_socket or str(forwarding.socket_path())
        self.client = docker.DockerClient(base_url=f"unix://{self.socket}")
        self.declared: dict[str, Any] = {
            "gpu": "off",
            "container_prefix": self.prefix,
            "database": str(self.folder / "models.db"),
            "lock": str(self.folder / "stack.lock"),
            "docker_socket": self.docker_socket,
            "image_mirror": self.lab.image_mirror,
            "model_registry": self.lab.model_registry,
            "model_registry_insecure": True,
            "disk_reserve_gb": 0,
            # Those of whoever runs the tests are left alone.
            "clients": [],
            "models": {
                name: {
                    "model": f"tiny-{name}:v1",
                    "agent": "",
                    "context": 2048,
                    "port": self.first_port + n,
                }
                for n, name in enumerate(SERVICES)
            },
            **self.settings,
        }
        self.write()

    @property
    def stack_file(self) -> Path:
        """The stack.toml of this installation."""
        return self.folder / "stack.toml"

    @property
    def database(self) -> Path:
        """Its database."""
        return Path(self.declared["database"])

    @property
    def lock(self) -> Path:
        """Its lock."""
        return Path(self.declared["lock"])

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a run; `tools` is a folder that comes first on its PATH.

        `home` is the home folder of whoever runs it, whose clients are wired.
        """
        path = os.pathsep.join(filter(None, (self.tools, os.environ["PATH"])))
        own = {"STACK_FILE": str(self.stack_file), "NO_COLOR": "1", "PATH": path}
        xdg = ("XDG_CONFIG_HOME", "XDG_STATE_HOME") if self.home else ()
        kept = {key: value for key, value in os.environ.items() if key not in xdg}
        return {**kept, **own, **({"HOME": self.home} if self.home else {})}

    def write(self, **changes: Any) -> None:
        """Write the declaration, changed at the top or (by service name) in a service's table."""
        for key, value in changes.items():
            if key in self.declared["models"] or isinstance(value, dict):
                self.declared["models"].setdefault(key, {}).update(value)
            else:
                self.declared[key] = value
        self.stack_file.write_text(tomlkit.dumps(self.declared))

    def pyinfra(self, *words: str, deploy: str = "deploys/stack.py") -> Output:
        """Run pyinfra from the root, without a terminal."""
        enter = ["ip", "netns", "exec", self.namespace] if self.namespace else []
        return self._run([*enter, str(PYINFRA), "@local", deploy, *words])

    def _run(self, command: list[str]) -> Output:
        result = subprocess.run(
            command,
            env=self.environment,
            **WITHOUT_TERMINAL,
            timeout=RUN_LIMIT,
            check=False,
        )
        output = Output(result.returncode, result.stdout)
        assert "Traceback" not in output.text, output.text
        return output

    def begin(self, *words: str, deploy: str = "deploys/stack.py") -> subprocess.Popen[str]:
        """Start a run in a process group of its own and leave it to the test to end it."""
        return subprocess.Popen(
            [str(PYINFRA), "-y", "@local", deploy, *words],
            env=self.environment,
            **WITHOUT_TERMINAL,
            start_new_session=True,
        )

    @staticmethod
    def read_until(process: subprocess.Popen[str], *words: str) -> None:
        """Read what a run prints until it begins one of the steps (or the phase) named."""
        assert process.stdout is not None
        has_begun = False
        for line in process.stdout:
            has_begun = has_begun or BEGINNING in line
            if has_begun and any(word in line for word in words):
                return

    def converge(self, *data: str) -> Output:
        """Converge; `data` are KEY=VALUE."""
        return self.pyinfra("-y", *(word for pair in data for word in ("--data", pair)))

    def dry(self, *data: str) -> Output:
        """Look only."""
        return self.pyinfra("--dry", *(word for pair in data for word in ("--data", pair)))

    def upgrade(self, *data: str) -> Output:
        """Upgrade; `data` are KEY=VALUE."""
        words = (word for pair in data for word in ("--data", pair))
        return self.pyinfra("-y", *words, deploy="deploys/upgrade.py")

    def rollback(self, *data: str) -> Output:
        """Roll back; `data` are KEY=VALUE."""
        words = (word for pair in data for word in ("--data", pair))
        return self.pyinfra("-y", *words, deploy="deploys/rollback.py")

    def main(self, *words: str) -> Output:
        """Run the console, as main.sh does."""
        return self._run([sys.executable, str(ROOT / "main.py"), *words])

    def proven(self, service: str) -> ServiceLock:
        """Return what the lock holds of a service."""
        return LockFile.load(self.lock).service("@local", service)

    def name(self, service: str) -> str:
        """Name the container, and the volume, of a service."""
        return f"{self.prefix}{service}"

    def port(self, service: str) -> int:
        """Return the declared port of a service."""
        return int(self.declared["models"][service]["port"])

    def url(self, service: str) -> str:
        """Return where a service answers."""
        return f"http://127.0.0.1:{self.port(service)}"

    def inspect(self, service: str) -> dict[str, Any]:
        """Return the container as the engine shows it."""
        attrs: dict[str, Any] = self.client.api.inspect_container(self.name(service))
        return attrs

    def containers(self) -> dict[str, tuple[str, str]]:
        """Return id and start of all containers of this stack, by name."""
        listed = self.client.containers.list(all=True, filters={"name": f"^{self.prefix}"})
        return {str(c.name): (str(c.id), c.attrs["State"]["StartedAt"]) for c in listed}

    def volumes(self) -> dict[str, str]:
        """Return when each volume of this stack was made, by name."""
        listed = self.client.volumes.list()
        return {v.name: v.attrs["CreatedAt"] for v in listed if v.name.startswith(self.prefix)}

    def images(self) -> dict[str, set[str]]:
        """Return the tags of each image from this stack's mirror, by id; a dangling one has none.

        Others' mirrors may give the same image: their tags do not count.
        """
        mirror = f"{self.declared['image_mirror']}/"
        found = {}
        for image in self.client.images.list():
            names = {*image.tags, *(image.attrs["RepoDigests"] or ())}
            ours = {name for name in names if name.startswith(mirror)} | (names & self.own_tags())
            if ours:
                found[str(image.id)] = {name for name in ours if "@" not in name}
        return found

    def dangling(self) -> set[str]:
        """Return the images from this stack's mirror that have no tag any more."""
        return {image for image, tags in self.images().items() if not tags}

    def rows(self, table: str = "models") -> dict[str, dict[str, Any]]:
        """Return the rows of a table by name."""
        return {row["name"]: row for row in rows_of(self.database, table)}

    def ask(self, service: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask a server over HTTP."""
        data = json.dumps(body).encode() if body is not None else None
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url(service) + path, data, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or "null")

    def digest(self, service: str, model: str) -> str:
        """Return the digest of a model that a server holds, "" where it does not."""
        held = {m["name"]: m["digest"] for m in self.ask(service, "/api/tags")["models"]}
        return str(held.get(model, ""))

    def delete_model(self, service: str, model: str) -> None:
        """Delete a model inside a server, as a hand would."""
        body = json.dumps({"model": model}).encode()
        request = urllib.request.Request(self.url(service) + "/api/delete", body, method="DELETE")
        urllib.request.urlopen(request, timeout=30).close()

    def add_model(self, service: str, model: str, file: Path) -> None:
        """Make a model inside a server from a GGUF file, as a hand would."""
        content = file.read_bytes()
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        blob = urllib.request.Request(f"{self.url(service)}/api/blobs/{digest}", content)
        urllib.request.urlopen(blob, timeout=60).close()
        self.ask(
            service, "/api/create", {"model": model, "files": {file.name: digest}, "stream": False}
        )

    def take_down(self) -> None:
        """Remove every container and volume of this stack; never those of a person's own."""
        assert self.prefix.startswith(OWN_PREFIXES), self.prefix
        for container in self.client.containers.list(all=True, filters={"name": f"^{self.prefix}"}):
            container.remove(force=True)
        for volume in self.client.volumes.list():
            if volume.name.startswith(self.prefix):
                volume.remove(force=True)
        for tag in self.own_tags():
            self.client.images.remove(tag)

    def forget_image(self, tag: str) -> None:
        """Take a tag of the image away that an earlier test left: it would be used as it is."""
        with suppress(docker.errors.ImageNotFound):
            self.client.images.remove(f"{self.declared['image_mirror']}/ollama/ollama:{tag}")

    def own_tags(self) -> set[str]:
        """Return the tags of images that this stack made for itself."""
        tags = (tag for image in self.client.images.list() for tag in image.tags)
        return {tag for tag in tags if tag.rpartition(":")[2].startswith(self.prefix)}
