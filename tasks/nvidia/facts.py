"""The one look at a host's NVIDIA cards. It needs no root and no tool: what is missing is empty."""

from __future__ import annotations

from pyinfra.api import FactBase

from tasks.host.sections import ONLY_ASCII, PRELUDE
from tasks.nvidia.observed import QUERY, Nvidia
from tasks.run import Run

# Both calls of nvidia-smi at once: without its persistence daemon each may take a second. Every
# line carries its origin and is short enough for the pipe to keep it whole.
SCRIPT = (
    PRELUDE
    + r""":/usr/lib/wsl/lib
ascii() { @ASCII@; }
echo '##smi'
if command -v nvidia-smi >/dev/null; then
  timeout -k 2 20 nvidia-smi -q -x 2>/dev/null | grep -m 1 '<cuda_version>' | sed 's/^/xml=/' &
  said=$(timeout -k 2 20 nvidia-smi --query-gpu=@QUERY@ --format=csv,noheader,nounits 2>&1)
  echo "status=$?"
  echo "$said" | ascii | sed 's/^/csv=/'
  wait
fi
echo '##pci'
for folder in /sys/bus/pci/devices/*; do
  read -r vendor <"$folder/vendor" && [ "$vendor" = 0x10de ] || continue
  read -r class <"$folder/class" || continue
  case $class in 0x03*) ;; *) continue;; esac
  read -r device <"$folder/device"
  driver=$(readlink "$folder/driver")
  echo "${folder##*/} $device ${driver##*/}"
done 2>/dev/null
echo '##proc'
cat /proc/driver/nvidia/version 2>/dev/null | ascii
echo '##kernel'
echo "modules=$(awk '$1 ~ /^(nvidia|nouveau|nova_core)$/ { printf "%s ", $1 }' /proc/modules \
  2>/dev/null)"
echo "loaded=$(cat /sys/module/nvidia/version 2>/dev/null)"
command -v modinfo >/dev/null && echo "on_disk=$(modinfo -F version nvidia 2>/dev/null | head -n 1)"
for file in /sys/firmware/efi/efivars/SecureBoot-*; do
  [ -r "$file" ] && echo "secure_boot=$(od -An -t u1 -j 4 -N 1 "$file" | tr -d ' ')"
done 2>/dev/null
true"""
)


class NvidiaFacts(FactBase[Nvidia]):
    """The NVIDIA cards, their driver and what stands in its way."""

    @staticmethod
    def default() -> Nvidia:
        return Nvidia()

    def command(self) -> str:
        return SCRIPT.replace("@ASCII@", ONLY_ASCII).replace("@QUERY@", QUERY)

    def process(self, output: list[str]) -> Nvidia:
        return Nvidia.from_lines(output)


def observe_nvidia(run: Run) -> Nvidia:
    """Look at the cards, or return what was seen since the last change."""
    seen: Nvidia | None = run.memory.get(Nvidia)
    if seen is None:
        found = run.host.get_fact(NvidiaFacts, _sudo=False, _ignore_errors=True)
        seen = run.memory[Nvidia] = found
    return seen
