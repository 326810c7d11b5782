"""The script that looks at a host's NVIDIA cards, for a fact and for the console alike.

It needs no root and no tool: what is missing is empty. The bus is read from /sys and the modules
from /proc, since lspci, lsmod and mokutil are not everywhere.
"""

from __future__ import annotations

from tasks.nvidia.observed import QUERY, Nvidia
from tasks.shell.local import Shell
from tasks.shell.output import ONLY_ASCII, PRELUDE

# Both calls of nvidia-smi at once: without its persistence daemon each may take a second. The log
# goes out while the table is only kept, so that no line of one is cut by the other; every line
# carries its origin, so that none can look like the mark of a section. awk ends a last line that
# was cut, which would else swallow the status after it.
_SCRIPT = (
    PRELUDE
    + r""":/usr/lib/wsl/lib
ascii() { @ASCII@; }
echo '##smi'
if command -v nvidia-smi >/dev/null; then
  timeout -k 2 20 nvidia-smi -q -x 2>/dev/null | ascii | awk '{ print "xml=" $0 }' &
  said=$(timeout -k 2 20 nvidia-smi --query-gpu=@QUERY@ --format=csv,noheader,nounits 2>&1)
  status=$?
  wait
  echo "status=$status"
  echo "$said" | ascii | sed 's/^/csv=/'
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
echo "release=$(uname -r)"
if command -v modinfo >/dev/null; then
  echo "on_disk=$(modinfo -F version nvidia 2>/dev/null | head -n 1)"
  file=$(modinfo -n nvidia 2>/dev/null | head -n 1)
  # The time of the inode: packages bring their files with the time of their making.
  came=$(stat -c %Z "${file:-/nowhere}" 2>/dev/null)
  began=$(awk '$1 == "btime" { print $2 }' /proc/stat 2>/dev/null)
  [ "${came:-0}" -gt "${began:-0}" ] && echo fresh=yes
fi
command -v nvidia-uninstall >/dev/null && echo installer=yes
command -v mokutil >/dev/null &&
  echo "mokutil=$(mokutil --sb-state 2>/dev/null | head -n 1 | ascii)"
for file in /sys/firmware/efi/efivars/SecureBoot-*; do
  [ -r "$file" ] && echo "secure_boot=$(od -An -t u1 -j 4 -N 1 "$file" | tr -d ' ')"
done 2>/dev/null
true"""
)
SCRIPT = _SCRIPT.replace("@ASCII@", ONLY_ASCII).replace("@QUERY@", QUERY)
# Longer than each call of nvidia-smi may take.
SECONDS = 30


def look_at_nvidia(shell: Shell) -> Nvidia:
    """Look by a shell of one's own."""
    return Nvidia.from_lines(shell.sh(SCRIPT, timeout=SECONDS).stdout.splitlines())
