"""`-v`: what the console does, on standard error: commands, requests and how long they took."""

from __future__ import annotations

import logging

from tasks.declared.layers import local_layers
from tasks.records.scrub import Scrubber, scrubber_for
from tasks.shell.local import TRACE
from tasks.words.printable import WHOLE, printable

# Of these libraries the clients that the console uses: ollama's and Docker's.
CLIENTS = ("httpx", "urllib3.connectionpool")
WIDTH = 300


class Formatter(logging.Formatter):
    """One line each, without secrets; folded and cut only after these are gone: no half is left."""

    def __init__(self, scrubber: Scrubber) -> None:
        super().__init__("%(asctime)s.%(msecs)03d %(message)s", "%H:%M:%S")
        self.scrubber = scrubber

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        # Scrubbed again where an escape stood in the middle of a secret.
        scrub = self.scrubber.text
        line = " ".join(scrub(printable(scrub(super().format(record)), WHOLE)).split())
        return line if len(line) <= WIDTH else f"{line[: WIDTH - 2]} …"


def show_all() -> None:
    """Show from now on what the console does."""
    handler = logging.StreamHandler()
    handler.setFormatter(Formatter(scrubber_for(local_layers().values)))
    for name in (TRACE.name, *CLIENTS):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
