"""The one look at the NVIDIA Container Toolkit."""

from __future__ import annotations

from pyinfra.api import FactBase

from tasks.container_toolkit.observed import Toolkit
from tasks.docker_engine.service import PID_FILE
from tasks.run.boundary import looked
from tasks.run.run import Run
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


class ToolkitFacts(FactBase[Toolkit]):
    """The toolkit's programs and their version."""

    @staticmethod
    def default() -> Toolkit:
        return Toolkit()

    def command(self) -> str:
        return SCRIPT

    def process(self, output: list[str]) -> Toolkit:
        return Toolkit.from_lines(output)


def observe_toolkit(run: Run) -> Toolkit:
    """Look at the toolkit, or return what was seen since the last change."""
    seen: Toolkit | None = run.memory.get(Toolkit)
    if seen is None:
        found = looked(
            run,
            "the NVIDIA Container Toolkit",
            lambda: run.host.get_fact(ToolkitFacts, _sudo=False, _ignore_errors=True),
            Toolkit(),
        )
        seen = run.memory[Toolkit] = found
    return seen
