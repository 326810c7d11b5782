"""What testinfra sees of one host: the engine's and Ollama's own JSON, each asked for once.

Nothing here is shared with what the converge observes by: the two must be able to disagree. But
for how the memory of the GPU is measured: a second way would only be wrong in its own manner.
"""

from __future__ import annotations

import json
import sqlite3
import tomllib
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pytest
from testinfra.backend.base import CommandResult  # type: ignore[import-untyped]
from testinfra.host import Host  # type: ignore[import-untyped]

from tasks.declared.layers import rooted
from tasks.declared.stack import Service, Stack
from tasks.servers.gpu_memory import FUNCTIONS, Memory, measured
from tasks.words.steps import LOCAL

PROMPT = "Say ok."


@dataclass(frozen=True)
class Generation:
    """What one generation showed; sizes in bytes. `memory` is the GPU's, None where it tells
    nothing: there is no card to ask, it is never quiet, or the model was loaded before."""

    tokens: int
    error: str
    size: int
    vram: int
    memory: Memory | None


class Look:
    """One host as testinfra sees it. `name` is what stack.lock and the database call the host."""

    def __init__(self, host: Host, stack: Stack, name: str) -> None:
        self.host = host
        self.stack = stack
        self.name = name
        self._lost = ""
        self._known: dict[tuple[str, ...], Any] = {}

    def run(self, command: str, *args: str) -> CommandResult:
        """Run a command on the host; the test fails where the host cannot be reached."""
        if not self._lost:
            try:
                return self.host.run(command, *args)
            except RuntimeError as error:
                result = error.args[0] if error.args else error
                reason = last_line(result) if isinstance(result, CommandResult) else str(error)
                self._lost = f"the host cannot be reached: {reason}"
        pytest.fail(self._lost, pytrace=False)

    @cached_property
    def docker(self) -> str:
        """The docker command for the declared socket, with sudo where this user needs it."""
        command = f"docker -H {self.host.backend.quote('unix://%s', self.stack.docker_socket)}"
        plain = self.run(f"{command} version")
        if plain.succeeded:
            return command
        if self.run("sudo -n true").succeeded:
            command = f"sudo -n {command}"
            plain = self.run(f"{command} version")
        if plain.failed:
            pytest.fail(f"the engine does not answer: {last_line(plain)}", pytrace=False)
        return command

    def inspect(self, kind: str, name: str) -> dict[str, Any] | None:
        """Return the engine's object of a container or an image; None where there is none."""
        key = ("inspect", kind, name)
        if key not in self._known:
            result = self.run(f"{self.docker} {kind} inspect %s", name)
            if result.failed and "no such" not in result.stderr.lower():
                pytest.fail(f"docker {kind} inspect {name}: {last_line(result)}", pytrace=False)
            self._known[key] = json.loads(result.stdout)[0] if result.succeeded else None
        found: dict[str, Any] | None = self._known[key]
        return found

    def container(self, service: Service) -> dict[str, Any]:
        """Return the container of a service; the test fails where there is none."""
        name = self.stack.container_name(service)
        found = self.inspect("container", name)
        if found is None:
            pytest.fail(f"there is no container {name}", pytrace=False)
        return found

    def ask(self, service: Service, path: str) -> tuple[Any, str]:
        """Ask a server, once; return its JSON and "", or None and why there is none."""
        key = ("ask", service.name, path)
        if key not in self._known:
            self._known[key] = self._http(service, path)
        answer: tuple[Any, str] = self._known[key]
        return answer

    def _http(
        self, service: Service, path: str, body: Mapping[str, Any] | None = None, limit: int = 10
    ) -> tuple[Any, str]:
        command = "curl -sSg --noproxy '*' --max-time %s"
        args = [str(limit)]
        if body is not None:
            command += " -H 'Content-Type: application/json' -d %s"
            args.append(json.dumps(body))
        result = self.run(f"{command} %s", *args, f"{service.url}{path}")
        if result.failed:
            return None, f"{service.url} does not answer: {last_line(result)}"
        try:
            value = json.loads(result.stdout)
        except ValueError:
            return None, f"{service.url}{path} does not answer as Ollama does"
        if isinstance(value, dict) and "error" in value:
            return None, str(value["error"])
        return value, ""

    def models(self, service: Service) -> tuple[dict[str, str], str]:
        """Return the digests of a server's models by name, and "" or why there are none."""
        value, error = self.ask(service, "/api/tags")
        try:
            return {m["name"]: m["digest"].removeprefix("sha256:") for m in value["models"]}, ""
        except (KeyError, TypeError):
            return {}, error or f"{service.url}/api/tags is not Ollama's"

    def generation(self, service: Service) -> Generation:
        """Generate with the main model, once; what this loads it unloads again."""
        key = ("generation", service.name)
        if key not in self._known:
            self._known[key] = self._generate(service)
        found: Generation = self._known[key]
        return found

    def _generate(self, service: Service) -> Generation:
        body = {"model": service.model, "prompt": PROMPT, "stream": False}
        was_loaded = service.model in self._loaded(service)
        before = "" if was_loaded else self._gpu("gpu_before")
        hold = {} if was_loaded else {"keep_alive": "1m"}
        value, error = self._http(
            service,
            "/api/generate",
            {**body, **hold, "options": {"num_predict": 8}},
            self.stack.generate_timeout,
        )
        loaded = self._loaded(service).get(service.model, {})
        memory, vram = None, loaded.get("size_vram", 0)
        if not was_loaded:
            memory = measured(f"{before}\n{self._gpu('gpu_after')}", vram)
            self._http(service, "/api/generate", {"model": service.model, "keep_alive": 0}, 30)
        tokens = int((value or {}).get("eval_count") or 0)
        return Generation(tokens, error, loaded.get("size", 0), vram, memory)

    def _loaded(self, service: Service) -> dict[str, dict[str, Any]]:
        value, _ = self._http(service, "/api/ps")
        return {m["name"]: m for m in (value or {}).get("models") or ()}

    def _gpu(self, function: str) -> str:
        return str(self.run("sh -c %s", f"{FUNCTIONS}\n{function}").stdout)

    def row(self, service: Service) -> tuple[str, dict[str, Any] | None]:
        """Return the name of a service in the database and its row; None where it has none."""
        name = service.name if self.name == LOCAL else f"{self.name}/{service.name}"
        rows = self.query("SELECT * FROM models WHERE name = ?", name)
        return name, rows[0] if rows else None

    def query(self, sql: str, *values: str) -> list[dict[str, Any]]:
        """Query the database, which is the controller's, without writing to it."""
        path = rooted(self.stack.database)
        if not path.exists():
            pytest.fail(f"there is no database at {path}; a converge writes it", pytrace=False)
        try:
            with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
                connection.row_factory = sqlite3.Row
                return [dict(row) for row in connection.execute(sql, values)]
        except sqlite3.Error as error:
            pytest.fail(f"the database {path} cannot be read: {error}", pytrace=False)

    def proven(self, service: Service) -> dict[str, Any]:
        """Return what stack.lock, which is the controller's, holds for a service."""
        path = rooted(self.stack.lock)
        try:
            text = path.read_text(encoding="utf-8") if path.exists() else ""
            entry = tomllib.loads(text).get("hosts", {}).get(self.name, {}).get(service.name, {})
        except (OSError, ValueError) as error:
            pytest.fail(f"the lock {path} cannot be read: {error}", pytrace=False)
        found: dict[str, Any] = entry
        return found


def last_line(result: CommandResult) -> str:
    """Return the last line that a command said, of stderr first."""
    lines = (result.stderr.strip() or result.stdout.strip()).splitlines()
    return lines[-1] if lines else f"exit status {result.rc}"
