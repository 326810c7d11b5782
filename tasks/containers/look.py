"""The one look at a host: its engine, our containers, images and volumes, and the three servers.

One script and not a FactBase a piece: a run that changes nothing is as quick as its process spawns
are few, and a fact's arguments (the declaration, with its proxies) would be printed with -v. What
the engine, each server and each volume said travels in an envelope of its own.
"""

from __future__ import annotations

import shlex

from tasks.containers.observed import Snapshot
from tasks.containers.parse import (
    ENGINE,
    FILES,
    SERVER,
    SERVER_PATHS,
    all_containers,
    all_volumes,
    kept_images,
    our_containers,
    parse,
)
from tasks.containers.spec import PREVIOUS
from tasks.declared.stack import Service, Stack
from tasks.shell.curl import curl_words, enveloped, plain_curl
from tasks.shell.engine_api import engine
from tasks.shell.local import Shell
from tasks.words.foreign import LARGEST, MIB

SERVER_TIMEOUT = 5
FILES_SECONDS = 20
LOOK_SECONDS = 120
# Of three lists and of what each container and image of ours is.
ENGINE_LIMIT = 2 * LARGEST
FILES_LIMIT = MIB
# A container may have made links on its volume: none is followed, and nothing outside is read. The
# last line tells that the list is whole.
FILES_FUNCTION = r"""
files() {
  base=$(cd -P "$1" && pwd -P) && [ -r "$base" ] || return
  there=$base/models/manifests
  for folder in "$base/models" "$there"; do
    [ -L "$folder" ] && return
    [ -e "$folder" ] || { echo end; return; }
  done
  cd -P "$there" && [ "$(pwd -P)" = "$there" ] &&
    timeout @SECONDS@ find -P . -xdev -type f -size -4096k -exec sha256sum -- {} + && echo end
}
"""
# What the first answers name and do not show is asked for: containers of ours under other names,
# and images that our containers run or that are kept. Ids alone are taken from an answer; they go
# to curl by its configuration, since thousands of them would be too long for arguments.
SCRIPT = r"""
exec 2>/dev/null
seen=$(@FIRST@ | head -c @LIMIT@)
missing() { printf '%s\n' "$seen" | awk -v images="$1" '
  function ids(text, pattern, skip,   n) {
    for (n = 0; n < 5000 && match(text, pattern); n++) {
      want[substr(text, RSTART + skip, RLENGTH - skip - 1)]
      text = substr(text, RSTART + RLENGTH)
    }
  }
  /^#[0-9][0-9][0-9] http:/ {
    if (images) {
      if (/\/images\/json/) ids(body, "\"Id\":\"sha256:[0-9a-f]+\"", 6)
      else if (/\/images\//) have[substr(body, 8, 71)]
      else if (/\/containers\/[^?]*\/json/) ids(body, "\"Image\":\"sha256:[0-9a-f]+\"", 9)
    } else if (/\/containers\/json.*filters/) ids(body, "\"Id\":\"[0-9a-f]+\"", 6)
    else if (/\/containers\/[^?]*\/json/) have[substr(body, 8, 64)]
    body = ""; next
  }
  length($0) { body = $0 }
  END { for (id in want) if (!(id in have))
    printf "url = \"http://docker/%s/%s/json\"\n", images ? "images" : "containers", id }'
}
for images in 0 1; do
  urls=$(missing $images)
  [ -n "$urls" ] && seen="$seen
$(printf '%s\n' "$urls" | @MORE@ | head -c @LIMIT@)"
done
@SEND@
@FILES@"""
# A server is asked only while its container runs and publishes the declared port: a paused one
# would keep everybody waiting, and on another port somebody else would answer.
SERVER_SCRIPT = r"""
server=
if printf '%s\n' "$seen" | grep -qE '@UP@'; then
  server=$(@SERVER@ | head -c @LIMIT@)
  @SEND@
fi
"""
# A server that does not answer is known by the manifests on its volume: the SHA-256 of a manifest
# is the digest of its model.
VOLUME_SCRIPT = r"""
case "$server" in *'#200 @VERSION@'*) ;; *)
  at=$(@VOLUME@ | head -c 65536 | grep -oE '"Mountpoint":"/[^"]+"' | cut -d'"' -f4)
  [ -n "$at" ] && @SEND@;;
esac
"""


def look(shell: Shell, stack: Stack) -> Snapshot:
    """Look at a host. What did not answer, or not as it should, is unknown."""
    return parse(stack, shell.sh(script(stack), timeout=LOOK_SECONDS).stdout)


def script(stack: Stack) -> str:
    """Build the observing script. Starting curl is what costs: few of them ask everything."""
    socket = stack.docker_socket
    names = [stack.container_name(service) for service in stack.services]
    lines = _filled(
        SCRIPT,
        FIRST=plain_curl(curl_words(_engine_urls(stack, names), socket=socket)),
        MORE=plain_curl([*curl_words([], socket=socket), "-K", "-"]),
        SEND=enveloped(ENGINE, """printf '%s\\n' "$seen\"""", ENGINE_LIMIT),
        LIMIT=ENGINE_LIMIT,
        FILES=files_function(),
    )
    for service, name in zip(stack.services, names, strict=True):
        urls = [service.url + path for path in SERVER_PATHS]
        volume = curl_words([engine(f"/volumes/{name}")], socket=socket)
        if service.active:
            lines += _filled(
                SERVER_SCRIPT,
                SERVER=plain_curl([*curl_words(urls, timeout=SERVER_TIMEOUT), "--fail-early"]),
                UP=_up_pattern(name, service),
                SEND=enveloped(SERVER + service.name, """printf '%s\\n' "$server\"""", LARGEST),
                LIMIT=LARGEST,
            )
        else:
            lines += "server=\n"
        lines += _filled(
            VOLUME_SCRIPT,
            VERSION=urls[0],
            VOLUME=plain_curl(volume),
            SEND=enveloped(FILES + service.name, 'files "$at"', FILES_LIMIT),
        )
    return f"sh -c {shlex.quote(lines + 'true')}"


def files_function() -> str:
    """Build the shell function that lists the manifests on a volume, by its folder."""
    return FILES_FUNCTION.replace("@SECONDS@", str(FILES_SECONDS))


def _filled(template: str, **words: object) -> str:
    for name, value in words.items():
        template = template.replace(f"@{name}@", str(value))
    return template


def _up_pattern(name: str, service: Service) -> str:
    """Return what the inspect line of a container holds that runs on the declared port."""
    return f'"Running":true,"Paused":false.*"Name":"/{name}".*"HostPort":"{service.port}"'


def _engine_urls(stack: Stack, names: list[str]) -> list[str]:
    """Return what the engine is asked in any case; the filtered list finds what was renamed."""
    images = {str(stack.image_reference(service)) for service in stack.services}
    return [
        engine("/version"),
        all_containers(),
        all_volumes(),
        our_containers(stack),
        kept_images(stack),
        *(engine(f"/containers/{n}/json") for name in names for n in (name, name + PREVIOUS)),
        *(engine(f"/images/{image}/json") for image in sorted(images)),
    ]
