"""What was changed here, as the database tells it, in words."""

from __future__ import annotations

from typing import Any


def event_text(event: dict[str, Any]) -> str:
    """Return one change in a line."""
    why = f" ({event['why']})" if event["why"] else ""
    who = f"{event['host']}/{event['service']}" if event["service"] else event["host"]
    return (
        f"{event['at']}  {who.removeprefix('@local/')}: {event['action']} {event['subject']}{why}"
    )
