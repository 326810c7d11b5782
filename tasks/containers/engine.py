"""What is asked of the engine about one container: requests, and waiting until its server answers.

Each works or raises StepFailed with cause and remedy.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from tasks.containers.observed import ObservedContainer
from tasks.containers.spec import STOP_TIMEOUT, ContainerSpec
from tasks.declared.layers import rooted
from tasks.files.atomic import write_atomically
from tasks.records.scrub import scrubber_for
from tasks.run.hostlock import under_lock
from tasks.run.run import Run
from tasks.run.session import RUN_ID
from tasks.shell.answers import Answer, answers
from tasks.shell.curl import WEB, curl, curl_words, enveloped, opened, plain_curl
from tasks.shell.engine_api import ask, engine
from tasks.shell.local import Shell
from tasks.words.failures import StepFailed
from tasks.words.foreign import MIB, BadAnswer
from tasks.words.printable import printable, printable_lines

LOOK_AGAIN = 0.3
LOG_LINES = 40
LOG_LIMIT = MIB
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
    is_change = method != "GET"
    return ask(
        run.shell,
        engine(path, query),
        socket=run.stack.docker_socket,
        method=method,
        body=body,
        timeout=timeout,
        wrap=partial(under_lock, run.stack.container_prefix) if is_change else str,
    )


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
        return (
            "see who holds the port (docker ps shows containers, sudo ss -ltnp the others) and stop"
            " that one alone, or declare another port"
        )
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


def container_now(run: Run, name: str) -> ObservedContainer | None:
    """Return a container as it is now, None where the engine says that there is none.

    Raises StepFailed where it does not tell: then nobody knows.
    """
    answer = request(run, "GET", f"/containers/{name}/json")
    if answer.status == 404:
        return None
    cause = answer.message
    if answer.ok:
        try:
            return ObservedContainer.from_inspect(answer.fields.value)
        except BadAnswer as error:
            cause = str(error)
    raise StepFailed(f"look at {name}: Docker does not tell: {cause}", remedy_of(answer))


def is_ours(run: Run, container: ObservedContainer, made: Mapping[str, str]) -> bool:
    """Tell whether a container is of this stack: by its label, or since this run made it or set it
    aside by consent (`made`: ids by name)."""
    is_known = made.get(container.name) == container.id
    return container.is_of(run.stack.container_prefix) or is_known


def remove_container(run: Run, name: str, made: Mapping[str, str]) -> None:
    """Remove a container of this stack, running or not, if it is there; its volumes stay.

    It goes by its id, and only where it is ours: another one may bear the name by now. `made` are
    the ids, by name, of what this run made. Raises StepFailed.
    """
    container = container_now(run, name)
    if container is None:
        return
    if not is_ours(run, container, made):
        raise StepFailed(
            f"remove {name}: the container of this name is not of this stack",
            "give it another name (docker rename), then run again",
        )
    query: dict[str, object] = {"force": 1}
    answer = request(run, "DELETE", f"/containers/{container.id}", query)
    if not answer.ok and answer.status != 404:
        raise StepFailed(f"remove {name}: Docker says: {answer.message}", remedy_of(answer))


def wait_until_it_answers(run: Run, spec: ContainerSpec, url: str) -> None:
    """Wait until Ollama answers on its port. Raises StepFailed when it ends or takes too long."""
    limit = run.stack.start_timeout
    deadline = time.monotonic() + limit
    inspect, version = engine(f"/containers/{spec.name}/json"), f"{url}/api/version"
    # Each in an envelope of its own: a server cannot speak for the engine.
    of_engine = curl([inspect], name="engine", socket=run.stack.docker_socket)
    script = f"{of_engine}; {curl([version], name='server', timeout=2)}; true"
    while True:
        said = run.shell.sh(script, timeout=45).stdout
        answer = answers(said, "server").get(version)
        if answer is not None and answer.ok:
            return
        _check_it_goes_on(spec, answers(said, "engine").get(inspect, Answer(inspect, 0, "")))
        if time.monotonic() > deadline:
            raise StepFailed(
                f"container {spec.name} did not answer at {url} within {limit} s",
                "read its log, declare another image or a longer start_timeout, and run again",
            )
        time.sleep(LOOK_AGAIN)


def _check_it_goes_on(spec: ContainerSpec, answer: Answer) -> None:
    """See that a container that does not answer yet still may. Raises StepFailed where it ended.

    Where the engine does not tell, it is waited for as long as for the server.
    """
    remedy = "read its log, declare another image or setting, and run again"
    if answer.status == 404:
        raise StepFailed(f"container {spec.name} is gone", remedy)
    try:
        value = answer.fields
        seen, restarts = ObservedContainer.from_inspect(value.value), value.number("RestartCount")
    except BadAnswer:
        return
    if seen.status in ("exited", "dead", "restarting") or restarts:
        error = f" ({printable(seen.error)})" if seen.error else ""
        cause = f"container {spec.name} ended with exit code {seen.exit_code}{error}"
        raise StepFailed(cause, remedy)


def keep_log(run: Run, name: str) -> str:
    """Keep the last lines of a failing container in a file; returns the words that tell where."""
    # Ollama writes the addresses of its proxies down as they are.
    scrubber = scrubber_for(run.stack.model_dump())
    text = scrubber.text(container_log(run.shell, run.stack.docker_socket, name, LOG_LINES))
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
    words = curl_words([url], socket=socket, timeout=20, trailer="")
    said = shell.sh(enveloped(WEB, f"{plain_curl(words)} 2>/dev/null", LOG_LIMIT)).stdout
    return printable_lines("".join(plain_log(data) for _, data in opened(said)))


def plain_log(stream: bytes) -> str:
    """Unwrap the engine's log stream: frames of 8 bytes (kind, size) and their text."""
    texts, at = [], 0
    while at + 8 <= len(stream):
        size = int.from_bytes(stream[at + 4 : at + 8], "big")
        texts.append(stream[at + 8 : at + 8 + size])
        at += 8 + size
    return b"".join(texts).decode(errors="replace")
