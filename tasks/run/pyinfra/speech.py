"""What pyinfra itself prints: words of hosts too, such as the stderr of a command that failed.

Its logger and its `echo` are the ways out of every module of it, so both are narrowed here.
"""

from __future__ import annotations

import logging
import re
from typing import Any

import click
from pyinfra import logger
from pyinfra.api.output import is_output_active, set_echo

from tasks.words.printable import WHOLE, printable_lines

# The colours of pyinfra's own words. Whoever else colours a line gets no further than that.
_COLOURS = re.compile(r"(\x1b\[(?:[0-2]|3[1-7])m)")


def shown(message: object) -> str:
    """Return a message that only colours: nothing else in it drives a terminal."""
    parts = _COLOURS.split(str(message))
    return "".join(
        part if number % 2 else printable_lines(part, WHOLE) for number, part in enumerate(parts)
    )


class OnlyShown(logging.Filter):
    """Lets every record pass, as `shown` leaves it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record."""
        record.msg, record.args = shown(record.getMessage()), ()
        return True


def narrow_pyinfra() -> None:
    """See to it that pyinfra prints nothing that a terminal would obey."""
    logger.addFilter(OnlyShown())
    if is_output_active():
        set_echo(_echo)


def _echo(message: Any = None, **options: Any) -> None:
    click.echo(None if message is None else shown(message), **options)
