"""The look at the engine and at its settings; only made where something depends on them."""

from __future__ import annotations

from tasks.docker_engine.daemon_json import PATH as DAEMON_JSON
from tasks.docker_engine.observed import ObservedEngine
from tasks.run.run import Run
from tasks.run.unforeseen import look
from tasks.shell.curl import curl
from tasks.shell.engine_api import engine
from tasks.shell.output import PRELUDE

# Where nobody told: others' containers may run.
UNKNOWN = ObservedEngine(hides_containers=True)
PATHS = ("/version", "/info", "/containers/json")


def engine_script(socket: str, *, is_up: bool) -> str:
    """Build what shows daemon.json and, where the engine is up, what it says of itself."""
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


def observe_engine(run: Run, *, is_up: bool) -> ObservedEngine:
    """Look at the engine, or return what was seen since the last change.

    `is_up`: it answers, so that it can be asked (a question would start a stopped one).
    """
    script = engine_script(run.stack.docker_socket, is_up=is_up)
    what, parse, unknown = "Docker's settings", ObservedEngine.from_lines, UNKNOWN
    return run.seen.once(ObservedEngine, lambda: look(run, what, script, parse, unknown, sudo=None))
