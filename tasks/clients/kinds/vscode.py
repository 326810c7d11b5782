"""VS Code's settings that belong to the clients in it."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from tasks.clients.entries import Entry
from tasks.clients.wiring import Wiring

KILO_COMPLETES = "kilo-code.new.autocomplete.enableAutoTrigger"
KILO_IMPORTS = "kilo-code.autoImportSettingsPath"


def entries(wiring: Wiring, clients: Collection[str], legacy_file: str) -> Iterator[Entry]:
    """Yield what stands in settings.json.

    Kilo Code's completion cannot use Ollama: where Continue completes, Kilo's would do so as well.
    `legacy_file` is the path of the file that Kilo Code 4 and 5 import.
    """
    completing = [s for s in wiring.services if any(m.can("insert") for m in s.models)]
    if "continue" in clients and "kilo" in clients and completing:
        yield Entry((KILO_COMPLETES,), False, is_default=True)
    if "kilo-legacy" in clients:
        yield Entry((KILO_IMPORTS,), legacy_file)
