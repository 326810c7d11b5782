"""Each change of a container, done on the host through the Engine API.

Every function is one step of the plan: it works or raises StepFailed with cause and remedy.
"""

from __future__ import annotations

import base64
import json
import time
from typing import Any

from tasks.engine_api import Answer, answers, curl, engine
from tasks.hostlock import under_lock
from tasks.layers import rooted
from tasks.lockfile import write_atomically
from tasks.ollama.observed import ObservedContainer
from tasks.ollama.proof import prove_service
from tasks.ollama.spec import STOP_TIMEOUT, ContainerSpec
from tasks.run import RUN_ID, Run
from tasks.stack import Service
from tasks.steps import Step, StepFailed

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
        raise StepFailed(f"{doing}: Docker says: {answer.message}", _remedy(run, answer))
    return answer


def _remedy(run: Run, answer: Answer) -> str:
    text = answer.message
    if not answer.status:
        return "see `systemctl status docker` and `journalctl -u docker`, then run again"
    if "port is already allocated" in text or "address already in use" in text:
        return "find who holds the port with `sudo ss -ltnp`, end it or declare another port"
    if "could not select device driver" in text:
        return 'install the NVIDIA Container Toolkit, or declare gpu = "off"; then run again'
    if "no space left" in text:
        return "free some disk space (docker system df shows what Docker uses), then run again"
    return "mend what Docker names, then run again"


def create_volume(run: Run, step: Step, spec: ContainerSpec) -> None:
    """Create the volume of a service, with our labels."""
    body = {"Name": spec.volume, "Labels": spec.labels()}
    must(run, "POST", "/volumes/create", f"volume {spec.volume}", body=body)


def rename(run: Run, step: Step, spec: ContainerSpec) -> None:
    """Give a renamed container its declared name back."""
    _rename(run, step.subject, spec.name)


def _rename(run: Run, old: str, new: str) -> None:
    must(run, "POST", f"/containers/{old}/rename", f"rename {old} to {new}", query={"name": new})


def start(run: Run, step: Step, spec: ContainerSpec, service: Service) -> None:
    """Start a stopped container and wait until it answers."""
    must(run, "POST", f"/containers/{spec.name}/start", f"start {spec.name}")
    wait_until_it_answers(run, spec, service.url)


def unpause(run: Run, step: Step, spec: ContainerSpec, service: Service) -> None:
    """Let a paused container go on and wait until it answers."""
    must(run, "POST", f"/containers/{spec.name}/unpause", f"unpause {spec.name}")
    wait_until_it_answers(run, spec, service.url)


def stop(run: Run, step: Step) -> None:
    """Stop a container and keep it."""
    _stop(run, step.subject)


def _stop(run: Run, name: str) -> None:
    path = f"/containers/{name}/stop"
    must(run, "POST", path, f"stop {name}", query={"t": STOP_TIMEOUT}, timeout=STOP_TIMEOUT + 30)


def remove(run: Run, step: Step) -> None:
    """Remove a container; its volumes stay."""
    _remove(run, step.subject)


def _remove(run: Run, name: str) -> None:
    query: dict[str, object] = {"force": 1}
    answer = request(run, "DELETE", f"/containers/{name}", query)
    if not answer.ok and answer.status != 404:
        raise StepFailed(f"remove {name}: Docker says: {answer.message}", _remedy(run, answer))


def remove_volume(run: Run, step: Step) -> None:
    """Remove a volume with all that is on it."""
    must(run, "DELETE", f"/volumes/{step.subject}", f"remove volume {step.subject}")


def set_aside(run: Run, step: Step, spec: ContainerSpec) -> None:
    """Stop the container that is to be replaced and keep it under its other name."""
    run.stopped_at[spec.service] = time.monotonic()
    _stop(run, spec.name)
    try:
        _rename(run, spec.name, spec.previous_name)
    except StepFailed:
        must(run, "POST", f"/containers/{spec.name}/start", f"start {spec.name} again")
        raise


def put_back(run: Run, step: Step, spec: ContainerSpec, service: Service) -> None:
    """Bring the set-aside container back under its name and start it."""
    _rename(run, spec.previous_name, spec.name)
    start(run, step, spec, service)


def create(run: Run, step: Step, spec: ContainerSpec, service: Service) -> None:
    """Create and start the container and wait until it answers; undo all of it if it does not."""
    try:
        must(
            run,
            "POST",
            "/containers/create",
            f"create {spec.name}",
            query={"name": spec.name},
            body=spec.create_body(),
        )
        must(run, "POST", f"/containers/{spec.name}/start", f"start {spec.name}")
        wait_until_it_answers(run, spec, service.url)
    except StepFailed as error:
        raise undo(run, spec, service, error) from None
    stopped = run.stopped_at.pop(spec.service, None)
    if stopped is not None:
        run.log(f"  {spec.service} did not answer for {time.monotonic() - stopped:.1f} s")


def prove(run: Run, step: Step, spec: ContainerSpec, service: Service) -> None:
    """Ask the new container for a generation; the one before it comes back if there is none."""
    try:
        prove_service(run, service)
    except StepFailed as error:
        raise undo(run, spec, service, error) from None


def undo(run: Run, spec: ContainerSpec, service: Service, error: StepFailed) -> StepFailed:
    """Take back a creation that failed: keep its log, remove it, put the one before it back.

    Returns the failure to report. It never tries twice: if this fails too, the commands that do
    it by hand are the remedy.
    """
    failed = request(run, "GET", f"/containers/{spec.name}/json")
    if failed.ok and not ObservedContainer.from_inspect(failed.json).is_of(spec.stack):
        # Somebody else took the name meanwhile: theirs stays.
        return error
    cause = error.cause + (keep_log(run, spec.name) if failed.ok else "")
    before = request(run, "GET", f"/containers/{spec.previous_name}/json")
    by_hand = f"docker rm -f {spec.name}"
    try:
        _remove(run, spec.name)
        if not before.ok:
            return StepFailed(cause, error.remedy)
        by_hand = f"docker rename {spec.previous_name} {spec.name}; docker start {spec.name}"
        run.log(f"  put container {spec.previous_name} back as {spec.name}")
        _rename(run, spec.previous_name, spec.name)
        by_hand = f"docker start {spec.name}; docker logs {spec.name}"
        must(run, "POST", f"/containers/{spec.name}/start", f"start {spec.name}")
        old = ObservedContainer.from_inspect(before.json)
        wait_until_it_answers(run, spec, old.url or service.url)
    except StepFailed as second:
        return StepFailed(
            f"{cause}; and the container before it did not come back: {second.cause}",
            f"by hand: {by_hand}",
        )
    return StepFailed(f"{cause}; the container before it serves again", error.remedy)


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
    url = engine(f"/containers/{name}/logs", {"stdout": 1, "stderr": 1, "tail": LOG_LINES})
    command = f"curl -s --max-time 20 --unix-socket {run.stack.docker_socket} '{url}' | base64 -w0"
    text = plain_log(base64.b64decode(run.sh(command).stdout or b""))
    if not text:
        return ""
    path = rooted(run.stack.database).parent / FAILED_LOGS / f"{name}-{RUN_ID}.log"
    write_atomically(path, text)
    lines = [line for line in text.splitlines() if line.strip()]
    return f"; its last words: {lines[-1][:200] if lines else ''} (log kept in {path})"


def plain_log(stream: bytes) -> str:
    """Unwrap the engine's log stream: frames of 8 bytes (kind, size) and their text."""
    text, at = b"", 0
    while at + 8 <= len(stream):
        size = int.from_bytes(stream[at + 4 : at + 8], "big")
        text += stream[at + 8 : at + 8 + size]
        at += 8 + size
    return text.decode(errors="replace")
