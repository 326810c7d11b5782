"""What is asked of the engine about one container: requests, and waiting until its server answers.

Each works or raises StepFailed with cause and remedy.
"""

from __future__ import annotations

import base64
import json
import math
import shlex
import time
from typing import Any

from tasks.engine_api import Answer, answers, curl, engine
from tasks.hostlock import under_lock
from tasks.layers import rooted
from tasks.lockfile import write_atomically
from tasks.ollama.observed import ObservedContainer
from tasks.ollama.spec import STOP_TIMEOUT, ContainerSpec
from tasks.run import RUN_ID, Run
from tasks.scrub import scrubber_for
from tasks.shell import Shell
from tasks.steps import StepFailed

LOOK_AGAIN = 0.3
LOG_LINES = 40
FAILED_LOGS = ".failed"


def request(
    run: Run,
    method: str,
    path: str,
    query: dict[str, object] | None = None,
    body: Any = None,
    timeout: float = 60,
) -> Answer:
    """Send one request to the engine."""
    url = engine(path, query)
    command = curl(
        [url],
        socket=run.stack.docker_socket,
        method=method,
        timeout=timeout,
        has_body=body is not None,
    )
    if method != "GET":
        command = under_lock(run.stack.container_prefix, command)
    result = run.sh(command, stdin=None if body is None else json.dumps(body), timeout=timeout + 10)
    return answers(result.stdout).get(url, Answer(url, 0, result.stderr))


def must(run: Run, method: str, path: str, doing: str, **more: Any) -> Answer:
    """Send a request that has to succeed. Raises StepFailed with the engine's own words."""
    answer = request(run, method, path, **more)
    if not answer.ok:
        raise StepFailed(f"{doing}: Docker says: {answer.message}", remedy_of(answer))
    return answer


def remedy_of(answer: Answer) -> str:
    """Say what a person can do about an answer of the engine that is an error."""
    text = answer.message
    if not answer.status:
        return "see `systemctl status docker` and `journalctl -u docker`, then run again"
    if "port is already allocated" in text or "address already in use" in text:
        return "find who holds the port with `sudo ss -ltnp`, end it or declare another port"
    if "CDI" in text or ("error mounting" in text and "libnvidia" in text):
        # There is no description of it, or one from before an update of the driver.
        return (
            "have the GPU described anew (sudo systemctl restart nvidia-cdi-refresh, or "
            "sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml), then run again"
        )
    if "could not select device driver" in text:
        return 'install the NVIDIA Container Toolkit, or declare gpu = "off"; then run again'
    if "no space left" in text:
        return "free some disk space (docker system df shows what Docker uses), then run again"
    return "mend what Docker names, then run again"


def rename_container(run: Run, old: str, new: str) -> None:
    """Give a container another name."""
    must(run, "POST", f"/containers/{old}/rename", f"rename {old} to {new}", query={"name": new})


def start_container(run: Run, name: str) -> None:
    """Start a container; one that runs already stays as it is."""
    must(run, "POST", f"/containers/{name}/start", f"start {name}")


def stop_container(run: Run, name: str) -> None:
    """Stop a container and keep it."""
    path = f"/containers/{name}/stop"
    must(run, "POST", path, f"stop {name}", query={"t": STOP_TIMEOUT}, timeout=STOP_TIMEOUT + 30)


def remove_container(run: Run, name: str) -> None:
    """Remove a container, running or not, if it is there; its volumes stay."""
    query: dict[str, object] = {"force": 1}
    answer = request(run, "DELETE", f"/containers/{name}", query)
    if not answer.ok and answer.status != 404:
        raise StepFailed(f"remove {name}: Docker says: {answer.message}", remedy_of(answer))


def tell_downtime(run: Run, service: str) -> None:
    """Say for how long a service did not answer, if this run stopped it; rounded up."""
    stopped = run.stopped_at.pop(service, None)
    if stopped is not None:
        seconds = math.ceil((time.monotonic() - stopped) * 10) / 10
        run.log(f"  {service} did not answer for {seconds:.1f} s")


def wait_until_it_answers(run: Run, spec: ContainerSpec, url: str) -> None:
    """Wait until Ollama answers on its port. Raises StepFailed when it ends or takes too long."""
    limit = run.stack.start_timeout
    deadline = time.monotonic() + limit
    inspect, version = engine(f"/containers/{spec.name}/json"), f"{url}/api/version"
    script = f"{curl([inspect], socket=run.stack.docker_socket)}; {curl([version], timeout=2)}"
    while True:
        found = answers(run.sh(f"{script}; true", timeout=45).stdout)
        if version in found and found[version].ok:
            return
        state = found.get(inspect)
        seen = ObservedContainer.from_inspect(state.json) if state and state.ok else None
        restarts = state.json.get("RestartCount", 0) if state and state.ok else 0
        if seen is None or seen.status in ("exited", "dead", "restarting") or restarts:
            code = f" with exit code {seen.exit_code}" if seen else ""
            error = f" ({seen.error})" if seen and seen.error else ""
            raise StepFailed(
                f"container {spec.name} ended{code}{error}",
                "read its log, declare another image or setting, and run again",
            )
        if time.monotonic() > deadline:
            raise StepFailed(
                f"container {spec.name} did not answer at {url} within {limit} s",
                "read its log, declare another image or a longer start_timeout, and run again",
            )
        time.sleep(LOOK_AGAIN)


def keep_log(run: Run, name: str) -> str:
    """Keep the last lines of a failing container in a file; returns the words that tell where."""
    # Ollama writes the addresses of its proxies down as they are.
    scrubber = scrubber_for(run.stack.model_dump())
    text = scrubber.text(container_log(run, run.stack.docker_socket, name, LOG_LINES))
    if not text:
        return ""
    path = rooted(run.stack.database).parent / FAILED_LOGS / f"{name}-{RUN_ID}.log"
    try:
        write_atomically(path, text)
    except OSError as error:
        return f"; its log could not be kept: {error}"
    # A request that was answered says nothing of why it ended.
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("[GIN]")]
    return f"; its last words: {lines[-1][:200] if lines else ''} (log kept in {path})"


def container_log(shell: Shell, socket: str, name: str, lines: int) -> str:
    """Return the last lines of a container's log, "" where nobody tells them."""
    url = engine(f"/containers/{name}/logs", {"stdout": 1, "stderr": 1, "tail": lines})
    command = f"curl -s --max-time 20 --unix-socket {shlex.quote(socket)} '{url}' | base64 -w0"
    try:
        return plain_log(base64.b64decode(shell.sh(command).stdout or b""))
    except ValueError:
        return ""


def plain_log(stream: bytes) -> str:
    """Unwrap the engine's log stream: frames of 8 bytes (kind, size) and their text."""
    texts, at = [], 0
    while at + 8 <= len(stream):
        size = int.from_bytes(stream[at + 4 : at + 8], "big")
        texts.append(stream[at + 8 : at + 8 + size])
        at += 8 + size
    return b"".join(texts).decode(errors="replace")
