"""What a person can do in the app: one table for the keys, the menu, the palette and the help."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from console.looking.host import PYINFRA
from tasks.declared.layers import ROOT
from tasks.words.steps import LOCAL


@dataclass(frozen=True)
class Command:
    """One thing to do. `action` is Textual's; `is_shown`: at the foot of the main view."""

    key: str
    name: str
    does: str
    action: str
    of_service: bool = True
    is_shown: bool = False


COMMANDS = (
    Command("enter", "menu", "All that can be done with the service", "menu", True, True),
    Command("a", "activate", "Declare it active and bring it up", "verb('activate')", True, True),
    Command("d", "deactivate", "Declare it inactive and stop it", "verb('deactivate')", True, True),
    Command("r", "restart", "Stop and start it, and prove it", "verb('restart')"),
    Command("u", "upgrade", "Move to what the registries offer", "verb('upgrade')"),
    Command("b", "roll back", "Back to what was proven before", "rollback"),
    Command("p", "pull", "Pull another model, found at the registry", "pull", True, True),
    Command("l", "log", "Follow its log", "logs", True, True),
    Command("t", "chat", "Try it", "chat", True, True),
    Command("i", "details", "Declared against seen, and docker inspect", "details"),
    Command("h", "history", "What was changed, when and why", "history"),
    Command("y", "copy address", "Copy its URL", "copy('url')"),
    Command("Y", "copy settings", "Copy what a client has to be told", "copy('settings')"),
    Command("c", "converge", "Bring everything to what is declared", "converge", False),
    Command("v", "verify", "Check the installation with testinfra", "verify", False),
    Command("D", "doctor", "Check everything, with real generations", "doctor", False),
    Command("m", "memory", "What the models take of the GPU's memory", "memory", False),
    Command("s", "database", "What the database holds, to read only", "database", False),
    Command("e", "start-up checks", "What has to be there, with remedies", "checks", False),
    Command("o", "output", "What the last work printed", "job", False),
    Command("x", "cancel", "End the work that is going on", "cancel", False),
    Command("f5", "look", "Look again now", "look", False),
    Command("T", "light or dark", "Change the colours", "toggle_dark", False),
    Command("question_mark", "keys", "Every key", "keys", False, True),
    Command("q", "quit", "Leave; the services go on", "leave", False, True),
)
KEY_NAMES = {"question_mark": "?"}
# Of another host, pyinfra does these: the deploy, and what is told besides the service.
REMOTE = {
    "restart": ("stack", ("restart=true",)),
    "upgrade": ("upgrade", ()),
    "rollback": ("rollback", ()),
}


def key_name(command: Command) -> str:
    """Name a key as it is on a keyboard."""
    return KEY_NAMES.get(command.key, command.key)


def verb_words(verb: str, host: str, service: str, inventory: Path) -> list[str] | None:
    """Return the command behind a verb for a service; None where another host has none."""
    if host == LOCAL:
        asks = ("-y",) if verb in ("upgrade", "rollback") else ()
        return [str(ROOT / "main.sh"), verb, service, *asks]
    if verb not in REMOTE:
        return None
    deploy, options = REMOTE[verb]
    return [*fleet_words(deploy, inventory, host), *_data(f"only={service}", *options)]


def fleet_words(deploy: str, inventory: Path, *limits: str) -> list[str]:
    """Return the command of a deploy on hosts of the inventory: all, or those named."""
    words = [*PYINFRA, "-y", str(inventory), f"deploys/{deploy}.py"]
    return words + [word for limit in limits for word in ("--limit", limit)]


def _data(*pairs: str) -> list[str]:
    return [word for pair in pairs for word in ("--data", pair)]
