"""The looks at a host: one for everything that needs no root, one for who holds a port."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from tasks.host.observed import ObservedHost
from tasks.host.ports import PortHolder, port_holders
from tasks.run.run import Run
from tasks.run.unforeseen import look
from tasks.shell.curl import curl_words, plain_curl
from tasks.shell.engine_api import engine
from tasks.shell.output import ONLY_ASCII, PRELUDE

# Packages that bring a Docker, or stand in the way of one.
DOCKER_PACKAGES = ("docker-ce", "docker.io", "podman-docker", "containerd", "containerd.io")

HOST_SCRIPT = (
    PRELUDE
    + r"""
uid=$(id -u)
echo '##host'
echo "uid=$uid"
echo "user=$(id -un 2>/dev/null)"
echo "sudo_user=${SUDO_USER-}"
echo "groups=$(id -Gn 2>/dev/null)"
echo "hostname=$(uname -n)"
echo "architecture=$(uname -m)"
for tool in curl docker dockerd apt-get sudo; do echo "path.$tool=$(command -v $tool)"; done
systemd=no
[ -d /run/systemd/system ] && systemd=yes
echo "systemd=$systemd"
[ -e /snap/bin/docker ] && echo snap=yes
proxies=$(env | cut -d= -f1 | grep -iE '^https?_proxy$'; cut -d= -f1 /etc/environment 2>/dev/null |
  grep -iE '^ *https?_proxy *$')
echo "proxies=$(echo $proxies)"
echo "docker_group=$(getent group docker 2>/dev/null | cut -d: -f4)"
echo '##os'
cat /etc/os-release 2>/dev/null | @ASCII@
state=
echo '##unit'
if [ $systemd = yes ]; then
  unit=$(timeout 10 systemctl show -p LoadState -p ActiveState -p SubState docker.service \
    2>/dev/null)
  echo "$unit"
  case "$unit" in *ActiveState=inactive*|*ActiveState=failed*) state=down;; esac
  case "$unit" in *LoadState=not-found*) state=;; esac
fi
echo '##packages'
dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Version}\n' @PACKAGES@ 2>/dev/null
root=no
echo '##sudo'
if [ "$uid" != 0 ] && command -v sudo >/dev/null; then
  said=$(timeout -k 2 10 sudo -H -n sh -c true 2>&1 </dev/null)
  status=$?
  [ $status = 0 ] && root=yes
  echo "status=$status"
  echo "said=$(echo $said)"
fi
echo '##engine'
socket=@SOCKET@
echo "path=$socket"
ping() {
  if command -v curl >/dev/null; then
    code=$($1 @PING@ 2>/dev/null)
    echo "$code $?"
  elif command -v docker >/dev/null; then
    timeout 10 $1 docker -H "unix://$socket" version >/dev/null 2>&1 && echo 200 0
  fi
}
if [ -S "$socket" ]; then
  echo socket=yes
  [ -w "$socket" ] && echo writable=yes
  # A question on the socket of a stopped unit would start it: a look must not change anything.
  case "${state}@DEFAULT@" in downyes) ;; *)
    echo "user=$(ping '')"
    [ $root = yes ] && echo "root=$(ping 'sudo -n')";;
  esac
fi
daemons=
here=$(readlink /proc/self/ns/net)
for file in $(grep -lF '(dockerd) ' /proc/[0-9]*/stat); do
  stat=; read -r stat <"$file" || continue
  # Z: it is dead, and nobody fetched its exit status yet.
  case "$stat" in *"(dockerd) Z"*) continue;; *"(dockerd) "*) ;; *) continue;; esac
  folder=${file%/stat}
  there=$(readlink "$folder/ns/net")
  [ -z "$there" ] || [ "$there" = "$here" ] && daemons="$daemons ${folder#/proc/}"
done 2>/dev/null
echo "daemons=$daemons"
echo '##disk'
path=$(sed -n 's/.*"data-root"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p' \
  /etc/docker/daemon.json 2>/dev/null | head -n 1)
path=${path:-/var/lib/docker}
echo "path=$path"
while [ -n "$path" ] && [ ! -e "$path" ]; do path=${path%/*}; done
stat -f -c 'free=%a
size=%b
block=%S' "${path:-/}" 2>/dev/null
echo '##listening'
for file in /proc/net/tcp /proc/net/tcp6; do
  [ -r $file ] && awk '$4 == "0A" { print $2, $10 }' $file
done 2>/dev/null
true"""
)

HOLDERS_SCRIPT = (
    PRELUDE
    + r"""
echo '##sockets'
sockets=$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null \
  | awk '$4 == "0A" && $2 ~ /:(@PORTS@)$/ { print $2, $10 }')
echo "$sockets"
for inode in $(echo "$sockets" | awk '{ print $2 }' | sort -u); do
  for fd in $(find /proc/[0-9]*/fd -lname "socket:\[$inode\]" 2>/dev/null); do
    pid=${fd#/proc/}; pid=${pid%%/*}
    echo "##$pid"
    echo "inode=$inode"
    echo "command=$(tr '\0\n' '  ' </proc/$pid/cmdline 2>/dev/null | cut -c 1-300 | @ASCII@)"
    sed 's/^/cgroup=/' /proc/$pid/cgroup 2>/dev/null | @ASCII@
  done
done
true"""
)


def _ping(socket: str) -> str:
    words = curl_words([engine("/_ping")], socket=socket, timeout=10, trailer="%{http_code}")
    return plain_curl([*words, "-o", "/dev/null"])


def host_script(socket: str) -> str:
    """Build the look at the host, as its user sees it.

    Never run with sudo: whether sudo works is one of the facts.
    """
    is_default = ObservedHost(socket=socket).is_default_socket
    return (
        HOST_SCRIPT.replace("@SOCKET@", shlex.quote(socket))
        .replace("@PING@", _ping(socket))
        .replace("@ASCII@", ONLY_ASCII)
        .replace("@DEFAULT@", "yes" if is_default else "no")
        .replace("@PACKAGES@", " ".join(DOCKER_PACKAGES))
    )


def holders_script(ports: Iterable[int]) -> str:
    """Build what shows the processes that listen on ports; without root only the user's own."""
    pattern = "|".join(f"{port:04X}" for port in sorted(set(ports))) or "none"
    return HOLDERS_SCRIPT.replace("@PORTS@", pattern).replace("@ASCII@", ONLY_ASCII)


def observe_host(run: Run) -> ObservedHost:
    """Look at the host, or return what was seen since the last change."""
    script, parse = host_script(run.stack.docker_socket), ObservedHost.from_lines
    return run.seen.once(ObservedHost, lambda: look(run, "the host", script, parse, ObservedHost()))


def observe_holders(run: Run, ports: Iterable[int]) -> tuple[PortHolder, ...]:
    """Find out who listens on ports; asked only where one is taken, and not kept."""
    nobody: tuple[PortHolder, ...] = ()
    script = holders_script(ports)
    return look(run, "who holds a port", script, port_holders, nobody, sudo=None)
