"""Open WebUI: an environment file for its container. Source: docs.openwebui.com."""

from __future__ import annotations

from tasks.clients.wiring import Wiring


def content(wiring: Wiring) -> str:
    """Return the file; it is wholly ours."""
    urls = ";".join(service.url for service in wiring.services)
    return (
        "# Written by ollama-stack: docker run --network host --env-file THIS …/open-webui\n"
        "ENABLE_OLLAMA_API=True\n"
        f"OLLAMA_BASE_URLS={urls}\n"
        "# Else what was once saved in its own database wins over this file.\n"
        "ENABLE_PERSISTENT_CONFIG=False\n"
    )
