"""The engine's service: started, reloaded and restarted, with systemd and without."""

from __future__ import annotations

import shlex

from tasks.docker_engine import messages
from tasks.host.facts import observe_host
from tasks.run.run import Run
from tasks.shell.curl import curl_words, plain_curl
from tasks.shell.engine_api import engine
from tasks.shell.output import ONLY_ASCII, PRELUDE
from tasks.words.failures import StepFailed
from tasks.words.messages import Text

LOG = "/var/log/dockerd.log"
PID_FILE = "/var/run/docker.pid"
START_SECONDS = 60
STOP_SECONDS = 90


def start(run: Run) -> None:
    """Start the engine and wait until it answers. Raises StepFailed with what its log says."""
    socket = run.stack.docker_socket
    if observe_host(run).has_systemd:
        _go(run, f"systemctl enable --now docker.service\n{_wait(socket)}")
    else:
        _go(run, f"{_SPAWN}\n{_wait(socket, is_alive='kill -0 $pid 2>/dev/null')}")


def restart(run: Run) -> None:
    """Restart the engine and wait until it answers. Raises StepFailed with what its log says."""
    socket = run.stack.docker_socket
    if observe_host(run).has_systemd:
        _go(
            run,
            f"systemctl reset-failed docker.service 2>/dev/null\n"
            f"systemctl restart docker.service\n{_wait(socket)}",
        )
    else:
        alive = "kill -0 $pid 2>/dev/null"
        _go(run, f"{_STOP}\n{_SPAWN}\n{_wait(socket, is_alive=alive)}")


def reload(run: Run) -> None:
    """Let the engine read daemon.json anew, without a restart. Raises StepFailed."""
    command = f"kill -HUP $(cat {PID_FILE}) && sleep 1"
    if observe_host(run).has_systemd:
        command = "systemctl reload docker.service && sleep 1"
    result = run.shell.sh(f"{PRELUDE}\n{command}")
    if not result.ok:
        raise StepFailed(messages.NOT_RELOADED(words=result.last_words), _remedy(run))


# A pid file of a dockerd that is gone may name somebody else's process: only dockerd is stopped.
_STOP = f"""pid=$(cat {PID_FILE} 2>/dev/null)
if [ -n "$pid" ] && [ "$(cat /proc/$pid/comm 2>/dev/null)" = dockerd ]; then
  runs() {{ case "$(cat /proc/$pid/stat 2>/dev/null)" in ""|*") Z "*) return 1;; esac; }}
  kill -TERM $pid
  i=0; while runs && [ $i -lt {STOP_SECONDS} ]; do sleep 1; i=$((i+1)); done
  if runs; then
    echo "dockerd (PID $pid) did not stop within {STOP_SECONDS} s" >&2; exit 1
  fi
fi"""
# Its own session, so that it outlives this shell and the run. A pid file that names no living
# dockerd is left from one that was killed, and the new one would refuse to start because of it.
_SPAWN = f"""pid=$(cat {PID_FILE} 2>/dev/null)
case "$(cat /proc/$pid/stat 2>/dev/null)" in
  *"(dockerd) Z"*) rm -f {PID_FILE};;
  *"(dockerd) "*) ;;
  *) rm -f {PID_FILE};;
esac
echo "--- started by ollama-stack" >>{LOG}
setsid dockerd >>{LOG} 2>&1 </dev/null &
pid=$!"""


def _wait(socket: str, is_alive: str = "true") -> str:
    ping = plain_curl(curl_words([engine("/_ping")], socket=socket, timeout=3))
    return f"""i=0
while [ $i -lt {START_SECONDS * 2} ]; do
  case "$({ping} 2>/dev/null)" in OK*) exit 0;; esac
  {is_alive} || break
  [ -d /run/systemd/system ] && [ $i -gt 4 ] && systemctl is-failed -q docker.service && break
  sleep 0.5; i=$((i+1))
done
echo "the engine does not answer" >&2
exit 1"""


def _go(run: Run, commands: str) -> None:
    result = run.shell.sh(f"{PRELUDE}\n{commands}", timeout=START_SECONDS + STOP_SECONDS + 60)
    if result.ok:
        return
    said = last_log_line(run)
    told = messages.LOG_SAYS(words=said) if said else ""
    cause = messages.COMMAND_FAILED(words=result.last_words, said=told)
    raise StepFailed(cause, _remedy(run))


def last_log_line(run: Run) -> str:
    """Return the last line of the engine's log that tells of trouble, "" where none does."""
    read = f"tail -n 40 {LOG}"
    if observe_host(run).has_systemd:
        read = "journalctl -u docker.service -n 40 --no-pager -o cat"
    lines = run.shell.sh(f"{PRELUDE}\n{read} 2>/dev/null | {ONLY_ASCII}").stdout.splitlines()
    grave = [s for s in lines if "failed to start" in s or "unable to configure" in s]
    chosen = grave or [s for s in lines if "level=fatal" in s or "level=error" in s]
    return chosen[-1].strip() if chosen else ""


def _remedy(run: Run) -> Text:
    if observe_host(run).has_systemd:
        return messages.READ_JOURNAL()
    return messages.READ_LOG(log=shlex.quote(LOG))
