"""How much a file of a user may cost us: who writes it need not mean well.

A file is read anew after each edit, so what it costs is what it holds, times the edits.
"""

from __future__ import annotations

from dataclasses import dataclass

from tasks.clients import messages
from tasks.clients.textdoc import Invalid

KIB = 1024
MIB = 1024 * KIB
# Settings of editors that people keep for years have some 100 KiB.
LARGEST = 512 * KIB
# What we wrote down of a file holds the file as it was before, in base64.
LARGEST_RECORD = 2 * MIB
# All of one user's together; a client has one to three files, a service two.
LARGEST_TOGETHER = 16 * MIB
MOST_RECORDS = 200
# Values of ours in one file. A hundred services have some 600.
MOST_VALUES = 1000
DEEPEST = 100
# So many characters take about the time of one value.
_CHARACTERS = 32


@dataclass
class Budget:
    """What may be read of one document: `values` at once, and `work` in all, in values."""

    values: int
    work: int

    def check(self, line: int, values: int) -> None:
        """See that a document has no more values than it may. Raises Invalid."""
        if values > self.values:
            raise Invalid(line, messages.MANY_VALUES(count=self.values))

    def spend(self, values: int, characters: int) -> None:
        """Pay for reading the document once. Raises Invalid."""
        self.work -= values + characters // _CHARACTERS
        if self.work < 0:
            raise Invalid(1, messages.MUCH_WORK())
