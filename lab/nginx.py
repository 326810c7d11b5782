"""The configuration of the nginx in front of both registries (pure).

Clients reach it through the lab's forwarder, which listens at the same ports of other addresses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from lab.fronts import called
from lab.settings import Addresses, Ports
from lab.state import Move

# Where nginx listens: a loopback address that the lab's ports are free on.
INNER = "127.0.0.2"
# Ollama says who it is as "ollama/0.17.4 (amd64 linux) Go/go1.26.0".
OLD_OLLAMA = r"~^ollama/0\.(\d|1\d)\."
NEEDS_NEWER = (
    "\\n\\nThe model you are attempting to pull requires a newer version of Ollama.\\n\\n"
    "Please download the latest version at:\\n\\n\\thttps://ollama.com/download\\n\\n"
)


@dataclass(frozen=True)
class Trouble:
    """What a fault adds to the configuration: texts inside the server blocks, or no block at all.

    `behind` is the server that misbehaves slowly; the ones in front pass requests on to it.
    """

    images: str = ""
    models: str = ""
    blobs: str = ""
    behind: str = ""
    down: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Layout:
    """All that the configuration names."""

    state: Path
    ports: Ports
    addresses: Addresses
    is_root: bool = False
    moves: tuple[Move, ...] = ()
    # The name of the front that this nginx is of.
    front: str = ""

    @property
    def model_storage(self) -> Path:
        """The storage folder of the model registry."""
        return self.state / "registry" / "models"


def render(layout: Layout, trouble: Trouble, generation: int) -> str:
    """Return the configuration; the control port answers with its generation."""
    # A zone outlives a reload under its own name: each configuration counts anew.
    zone = f"  limit_req_zone $request_method$uri zone=once{generation}:1m rate=1r/m;\n"
    servers = [zone, _control(layout, generation), _behind(layout, trouble)]
    if "images" not in trouble.down:
        servers.append(_images(layout, trouble))
    if "models" not in trouble.down:
        servers.append(_models(layout, trouble))
    servers.append(_blobs(layout, trouble))
    text = _head(layout) + "\n".join(servers) + "}\n"
    return text.replace("zone=once;", f"zone=once{generation};")


def _head(layout: Layout) -> str:
    own = called("nginx", layout.front)
    run, log = layout.state / "run", layout.state / "log"
    temporary = "".join(
        f"  {name}_temp_path {run}/{own}-{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # Workers read the storage folder of whoever runs the lab; only root may (and must) say so.
    user = "user root;\n" if layout.is_root else ""
    return f"""{user}daemon off;
pid {run}/{own}.own.pid;
error_log {log}/{own}-error.log notice;
worker_processes 1;
# Connections that began under the old configuration end soon after a change.
worker_shutdown_timeout 1s;
events {{ worker_connections 1024; }}
http {{
  access_log {log}/{own}-access.log;
{temporary}  default_type application/octet-stream;
  client_max_body_size 0;
  proxy_request_buffering off;
  proxy_http_version 1.1;
  proxy_set_header Host $http_host;
  proxy_max_temp_file_size 0;
  map $http_user_agent $is_old_ollama {{ default 0; "{OLD_OLLAMA}" 1; }}
"""


def _control(layout: Layout, generation: int) -> str:
    return f"""  server {{
    listen 127.0.0.1:{layout.ports.control};
    access_log off;
    location / {{ return 200 "{generation}"; }}
  }}
"""


def _behind(layout: Layout, trouble: Trouble) -> str:
    # Always there, so that nobody takes its port.
    return f"""  server {{
    listen 127.0.0.1:{layout.ports.trouble};
    root {layout.model_storage};
{trouble.behind or "    return 404;"}
  }}
"""


def _images(layout: Layout, trouble: Trouble) -> str:
    port, backend = layout.ports.images, layout.ports.images_backend
    return f"""  server {{
    listen {INNER}:{port};
{_moved(layout, "images")}
{trouble.images}    location @good {{ proxy_pass http://127.0.0.1:{backend}; }}
    location / {{ proxy_pass http://127.0.0.1:{backend}; }}
  }}
"""


def _models(layout: Layout, trouble: Trouble) -> str:
    backend = layout.ports.models_backend
    blobs = f"http://{layout.addresses.blobs}:{layout.ports.blobs}"
    return f"""  server {{
    listen {INNER}:{layout.ports.models};
    # The registry sends clients to the lab's own place for blobs.
    proxy_redirect ~^http://{re.escape(layout.addresses.blobs)}:\\d+/(.+)$ {blobs}/$1;
{_moved(layout, "models")}
{trouble.models}    location @good {{ proxy_pass http://127.0.0.1:{backend}; }}
    location / {{ proxy_pass http://127.0.0.1:{backend}; }}
    location ~ ^/v2/library/tiny-new/(manifests|blobs)/ {{
      if ($is_old_ollama) {{ return 412 "{NEEDS_NEWER}"; }}
      proxy_pass http://127.0.0.1:{backend};
    }}
  }}
"""


def _moved(layout: Layout, kind: str) -> str:
    """Return what shows a tag as another manifest; faults of that tag alone do not see it then."""
    return "\n".join(
        f'    rewrite "^/v2/{re.escape(move.repository)}/manifests/{re.escape(move.tag)}$"'
        f" /v2/{move.repository}/manifests/{move.digest};"
        for move in layout.moves
        if move.kind == kind
    )


def _blobs(layout: Layout, trouble: Trouble) -> str:
    return f"""  server {{
    listen {INNER}:{layout.ports.blobs};
    root {layout.model_storage};
{trouble.blobs}    location @good {{ try_files $uri =404; }}
    location / {{ }}
  }}
"""
