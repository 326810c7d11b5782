"""Containers that were given the GPU and cannot reach it any more (fault 1).

`systemctl daemon-reload` and driver updates take the device away from running containers, and
nothing in `docker inspect` shows it: only inside one sees it. Source: NVIDIA Container Toolkit,
troubleshooting, "Containers losing access to GPUs with error: Failed to initialize NVML".
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field

from tasks.containers.observed import Snapshot
from tasks.run.run import Run
from tasks.shell.curl import curl_words, opened, plain_curl
from tasks.shell.engine_api import engine
from tasks.shell.local import Shell
from tasks.words.printable import printable

# What docker exec ends with where the image holds no such program: that tells nothing.
NO_PROGRAM = (126, 127)
QUESTION = {"Cmd": ["nvidia-smi", "-L"], "AttachStdout": True, "AttachStderr": True, "Tty": True}
SCRIPT = r"""
exec 2>/dev/null
for name in @NAMES@; do
  id=$(printf %s @QUESTION@ | @CREATE@ | grep -o '"Id":"[0-9a-f]*"' | cut -d'"' -f4)
  [ -n "$id" ] || continue
  # What a container says comes in an envelope of its own: it cannot speak for another one.
  printf '#said.%s ' "$name"
  printf %s '{"Detach":false,"Tty":true}' | @START@ | head -c 200 | base64 -w0
  printf '\n#code.%s ' "$name"
  @INSPECT@ | head -c 65536 | grep -o '"ExitCode":[0-9]*' | cut -d: -f2 | base64 -w0
  echo
done
true"""


@dataclass(frozen=True)
class LostDevices:
    """What nvidia-smi said inside the containers that cannot reach the GPU, by container."""

    said: dict[str, str] = field(default_factory=dict)


def lost_devices(run: Run, snapshot: Snapshot) -> LostDevices:
    """Ask inside each running container of ours that was given the GPU; once between changes."""
    names = [
        c.name
        for c in snapshot.containers
        if c.devices and c.is_running and c.is_of(run.stack.container_prefix)
    ]
    return run.seen.once(LostDevices, lambda: inside(run.shell, names, run.stack.docker_socket))


def inside(shell: Shell, names: list[str], socket: str) -> LostDevices:
    """Ask inside running containers, by name."""
    if not names:
        return LostDevices()
    return parse(shell.sh(_script(names, socket), timeout=30 * len(names)).stdout)


def _script(names: list[str], socket: str) -> str:
    def ask(path: str, method: str) -> str:
        words = curl_words(
            ["@URL@"],
            socket=socket,
            method=method,
            timeout=20,
            has_body=method == "POST",
            trailer="",
        )
        return plain_curl(words).replace("@URL@", f'"{engine("")}{path}"')

    return (
        SCRIPT.replace("@NAMES@", shlex.join(names))
        .replace("@QUESTION@", shlex.quote(json.dumps(QUESTION)))
        .replace("@CREATE@", ask("/containers/$name/exec", "POST"))
        .replace("@START@", ask("/exec/$id/start", "POST"))
        .replace("@INSPECT@", ask("/exec/$id/json", "GET"))
    )


def parse(output: str) -> LostDevices:
    """Read what the script printed: what was said in each container, and how that ended."""
    words: dict[str, str] = {}
    said: dict[str, str] = {}
    for envelope, data in opened(output):
        kind, _, name = envelope.partition(".")
        text = printable(data.decode(errors="replace")).strip()
        if kind == "said":
            words[name] = text
        elif kind == "code" and text.isdecimal() and int(text[:4]) not in (0, *NO_PROGRAM):
            said[name] = words.get(name, "") or f"nvidia-smi ended with {text}"
    return LostDevices(said)
