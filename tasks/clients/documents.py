"""The clients: how each is found, and which of its files holds what. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from tasks.clients.entries import Entry
from tasks.clients.kinds import (
    aider,
    continue_,
    kilo,
    kilo_legacy,
    llm,
    open_webui,
    opencode,
    shell,
    vscode,
)
from tasks.clients.look import CONFIG, HOME, ObservedUser, in_shell
from tasks.clients.merge import Format
from tasks.clients.wiring import Wiring
from tasks.containers.observed import Snapshot
from tasks.declared.stack import Stack

# Of a container of Open WebUI's, whoever made it.
WEB_UI_IMAGE = "open-webui"
MANAGED = "/etc/kilo/kilo.jsonc"
# Where editions of VS Code keep the settings of a user.
VSCODE_FOLDERS = {
    "vscode": f"{CONFIG}Code/User",
    "vscode-insiders": f"{CONFIG}Code - Insiders/User",
    "vscodium": f"{CONFIG}VSCodium/User",
    "vscode-server": f"{HOME}.vscode-server/data/Machine",
}
_EXTENSIONS = '"$home"/.vscode*/extensions/'
# A test in the words of the look's script for each client. Kilo Code 7 and its older extension have
# one name and different versions.
FOUND_BY = {
    "kilo": f'has kilo || has kilocode || there "$config"/kilo {_EXTENSIONS}kilocode.kilo-code-7*',
    "kilo-legacy": f"there {_EXTENSIONS}kilocode.kilo-code-[45].*",
    "continue": f'has cn || there "$home"/.continue {_EXTENSIONS}continue.continue-*',
    "opencode": 'has opencode || there "$config"/opencode',
    "aider": 'has aider || there "$home"/.aider.conf.yml',
    "llm": 'has llm || there "$config"/io.datasette.llm',
    "vscode": 'has code || has codium || there "$config"/Code/User "$home"/.vscode-server',
    "shell": "true",
}
NAMES = (*FOUND_BY, "open-webui")
EDITIONS = {f"in-{name}": f"[ -d {in_shell(folder)} ]" for name, folder in VSCODE_FOLDERS.items()}


@dataclass(frozen=True)
class Merged:
    """A file that is the user's, in which entries of ours stand: the first of `places` that is
    there, and `new_at` where none is, with `mode` as its permissions."""

    name: str
    client: str
    places: tuple[str, ...]
    new_at: str
    format: Format
    entries: tuple[Entry, ...]
    mode: int = 0o600


@dataclass(frozen=True)
class Owned:
    """A file that is wholly ours. `mode` is its permissions."""

    name: str
    client: str
    place: str
    content: str
    mode: int = 0o600


Document = Merged | Owned


def wanted(clients: Collection[str], found: Collection[str]) -> list[str]:
    """Return the clients that are meant, in the order of FOUND_BY: "auto" is what was found."""
    named = set(clients) - {"auto"} | (set(found) if "auto" in clients else set())
    return [name for name in NAMES if name in named]


def meant(stack: Stack, user: ObservedUser, snapshot: Snapshot) -> list[str]:
    """Return the clients of a user that the declaration means, by what is on the host."""
    has_web_ui = any(WEB_UI_IMAGE in container.image for container in snapshot.foreign)
    return wanted(stack.clients, user.found | ({"open-webui"} if has_web_ui else frozenset()))


# Of several files that a client reads the strongest one that is there is edited, the last of which
# it takes; where there is none, the one in NEW_AT is made.
MERGED_AT = {
    "kilo": tuple(
        f"{CONFIG}kilo/{name}"
        for name in ("opencode.jsonc", "opencode.json", "kilo.jsonc", "kilo.json", "config.json")
    ),
    "opencode": tuple(
        f"{CONFIG}opencode/{name}" for name in ("opencode.jsonc", "opencode.json", "config.json")
    ),
    "continue": (f"{HOME}.continue/config.yaml",),
    "aider": (f"{HOME}.aider.conf.yml",),
    "aider-settings": (f"{HOME}.aider.model.settings.yml",),
    "aider-metadata": (f"{HOME}.aider.model.metadata.json",),
    "llm": (f"{CONFIG}io.datasette.llm/extra-openai-models.yaml",),
}
NEW_AT = {
    "kilo": f"{CONFIG}kilo/kilo.jsonc",
    "opencode": f"{CONFIG}opencode/opencode.json",
}


def places(stack: Stack) -> tuple[str, ...]:
    """Return every place that a document may be at, for the look."""
    prefix = stack.container_prefix
    names = [stack.container_name(service) for service in stack.services]
    return (
        *(place for candidates in MERGED_AT.values() for place in candidates),
        *(f"{folder}/settings.json" for folder in VSCODE_FOLDERS.values()),
        legacy_place(prefix),
        web_ui_place(prefix),
        *(place for name in names for place in (wrapper_place(name), completion_place(name))),
    )


def documents(
    wiring: Wiring, clients: Collection[str], user: ObservedUser, *, is_remote: bool
) -> Iterator[Document]:
    """Yield the files of a user's clients as they should be."""
    for client in clients:
        if client == "kilo-legacy":
            place = legacy_place(wiring.prefix)
            yield Owned(client, client, place, kilo_legacy.content(wiring))
        elif client == "open-webui":
            yield Owned(client, client, web_ui_place(wiring.prefix), open_webui.content(wiring))
        elif client == "vscode":
            yield from _vscode(wiring, clients, user)
        elif client == "shell":
            yield from _wrappers(wiring, is_remote=is_remote)
        else:
            yield from _merged(wiring, client)


def managed(wiring: Wiring) -> Merged:
    """Return Kilo Code's configuration for all users of a host: they have to read it."""
    entries = tuple(kilo.entries(wiring))
    return Merged("kilo-managed", "kilo", (MANAGED,), MANAGED, "jsonc", entries, 0o644)


def legacy_place(prefix: str) -> str:
    """Return where the file stands that Kilo Code 4 and 5 import."""
    return f"{CONFIG}ollama-stack/{prefix}kilo-legacy.json"


def web_ui_place(prefix: str) -> str:
    """Return where Open WebUI's environment file stands."""
    return f"{CONFIG}ollama-stack/{prefix}open-webui.env"


def wrapper_place(name: str) -> str:
    """Return where the command of a service stands."""
    return f"{HOME}.local/bin/{name}"


def completion_place(name: str) -> str:
    """Return where bash looks for the completion of a command."""
    return f"{HOME}.local/share/bash-completion/completions/{name}"


def _merged(wiring: Wiring, client: str) -> Iterator[Merged]:
    made: dict[str, tuple[Format, Iterator[Entry]]] = {
        "kilo": ("jsonc", kilo.entries(wiring)),
        "opencode": ("jsonc", opencode.entries(wiring)),
        "continue": ("yaml", continue_.entries(wiring)),
        "aider": ("yaml", aider.defaults(wiring)),
        "aider-settings": ("yaml", aider.settings(wiring)),
        "aider-metadata": ("jsonc", aider.metadata(wiring)),
        "llm": ("yaml", llm.entries(wiring)),
    }
    for name, (format_, entries) in made.items():
        if name.partition("-")[0] == client:
            candidates = MERGED_AT[name]
            new_at = NEW_AT.get(name, candidates[0])
            yield Merged(name, client, candidates, new_at, format_, tuple(entries))


def _vscode(wiring: Wiring, clients: Collection[str], user: ObservedUser) -> Iterator[Merged]:
    """Yield the settings of every edition that is there; of none, nothing: it would make one."""
    entries = tuple(vscode.entries(wiring, clients, user.path(legacy_place(wiring.prefix))))
    for name, folder in VSCODE_FOLDERS.items():
        place = f"{folder}/settings.json"
        if f"in-{name}" in user.found:
            yield Merged(name, "vscode", (place,), place, "jsonc", entries)


def _wrappers(wiring: Wiring, *, is_remote: bool) -> Iterator[Owned]:
    for service in wiring.services:
        script = shell.wrapper(service, is_remote=is_remote)
        yield Owned(f"shell-{service.id}", "shell", wrapper_place(service.id), script, 0o755)
        text, place = shell.completion(service), completion_place(service.id)
        yield Owned(f"completion-{service.id}", "shell", place, text, 0o644)
