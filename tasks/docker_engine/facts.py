"""The look at the engine and at its settings; only made where something depends on them."""

from __future__ import annotations

from pyinfra.api import FactBase

from tasks.docker_engine.daemon_json import PATH as DAEMON_JSON
from tasks.docker_engine.observed import ObservedEngine
from tasks.run.boundary import looked
from tasks.run.run import Run
from tasks.shell.curl import curl
from tasks.shell.engine_api import engine
from tasks.shell.output import PRELUDE

PATHS = ("/version", "/info", "/containers/json")


class EngineFacts(FactBase[ObservedEngine]):
    """The engine's version, settings and running containers."""

    @staticmethod
    def default() -> ObservedEngine:
        return ObservedEngine()

    def command(self, socket: str, is_up: bool) -> str:
        ask = curl([engine(path) for path in PATHS], socket=socket, timeout=10) if is_up else "true"
        return f"""{PRELUDE}
echo '##daemon.json'
if [ -e {DAEMON_JSON} ] || [ -L {DAEMON_JSON} ]; then
  echo exists=yes
  [ -e {DAEMON_JSON} ] || echo 'wrong=it is a symbolic link that leads nowhere'
  [ -d {DAEMON_JSON} ] && echo 'wrong=it is a folder'
  [ -f {DAEMON_JSON} ] && [ -r {DAEMON_JSON} ] && echo "content=$(base64 -w 0 {DAEMON_JSON})"
fi
echo '##api'
{ask}
true"""

    def process(self, output: list[str]) -> ObservedEngine:
        return ObservedEngine.from_lines(output)


def observe_engine(run: Run, *, is_up: bool) -> ObservedEngine:
    """Look at the engine, or return what was seen since the last change.

    `is_up`: it answers, so that it can be asked (a question would start a stopped one).
    """
    seen: ObservedEngine | None = run.memory.get(ObservedEngine)
    if seen is None:
        asked = {"socket": run.stack.docker_socket, "is_up": is_up, "_sudo": run.sudo}
        found = looked(
            run,
            "Docker's settings",
            lambda: run.host.get_fact(EngineFacts, **asked, _ignore_errors=True),
            ObservedEngine(hides_containers=True),
        )
        seen = run.memory[ObservedEngine] = found
    return seen
