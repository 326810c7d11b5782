"""Kilo Code 4 and 5 for VS Code: a file of settings that the extension imports at its start.

The whole file is ours: the extension reads it and keeps what it read in a store of its own.
"""

from __future__ import annotations

import json
from typing import Any

from tasks.clients.kinds.opencode import NO_KEY
from tasks.clients.wiring import WiredService, Wiring

# The modes of the extension; "ask" and the others are served as Kilo Code 7's agents are.
MODES = ("code", "ask", "debug", "architect", "orchestrator")


def content(wiring: Wiring) -> str:
    """Return the file."""
    profiles = {service.id: _profile(service) for service in wiring.services}
    first = wiring.first
    serving = {mode: wiring.serving(mode) or first for mode in MODES}
    document = {
        "providerProfiles": {
            "currentApiConfigName": first.id if first is not None else "",
            "apiConfigs": profiles,
            "modeApiConfigs": {mode: s.id for mode, s in serving.items() if s is not None},
        },
        "globalSettings": {},
    }
    return json.dumps(document, indent=2) + "\n"


def _profile(service: WiredService) -> dict[str, Any]:
    return {
        "id": service.id,
        "apiProvider": "openai",
        "openAiBaseUrl": service.openai,
        "openAiApiKey": NO_KEY,
        "openAiModelId": service.agent.name,
        "openAiCustomModelInfo": {
            "contextWindow": service.agent.context,
            "maxTokens": service.agent.answer,
            "supportsImages": service.agent.can("vision"),
            "supportsPromptCache": False,
        },
    }
