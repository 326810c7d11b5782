"""The one look at the NVIDIA Container Toolkit."""

from __future__ import annotations

from tasks.container_toolkit.observed import Toolkit
from tasks.docker_engine.service import PID_FILE
from tasks.run.run import Run
from tasks.run.unforeseen import look
from tasks.shell.output import ONLY_ASCII, PRELUDE

# Where the package puts the hook. The engine writes its file when it starts, and looks then only.
PACKAGED_HOOK = "/usr/bin/nvidia-container-runtime-hook"
SCRIPT = f"""{PRELUDE}
echo '##paths'
echo "ctk=$(command -v nvidia-ctk)"
echo "hook=$(command -v nvidia-container-runtime-hook)"
came=$(stat -c %Z {PACKAGED_HOOK} 2>/dev/null) && began=$(stat -c %Y {PID_FILE} 2>/dev/null) &&
  [ "$came" -gt "$began" ] && echo unseen=yes
[ -d /run/systemd/system ] &&
  systemctl cat nvidia-cdi-refresh.service >/dev/null 2>&1 && echo refresh=yes
echo '##cdi'
grep -lsE '"?kind"?: *"?nvidia[.]com/gpu' /etc/cdi/* /var/run/cdi/* 2>/dev/null
echo '##version'
command -v nvidia-ctk >/dev/null && timeout 10 nvidia-ctk --version 2>/dev/null | {ONLY_ASCII}
true"""


def observe_toolkit(run: Run) -> Toolkit:
    """Look at the toolkit, or return what was seen since the last change."""
    what, parse = "the NVIDIA Container Toolkit", Toolkit.from_lines
    return run.seen.once(Toolkit, lambda: look(run, what, SCRIPT, parse, Toolkit()))
