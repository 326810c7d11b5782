"""The start of the console. Each verb looks at this machine anew; none keeps a state of its own."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import NoReturn

import click

import console.verbs  # noqa: F401 (each joins the group)
from console.group import app
from console.say import (
    FAILED,
    INTERRUPTED,
    INTERRUPTION,
    WRONG_USE,
    Speech,
    end_unforeseen,
    invalid,
    show,
    show_text,
    tell_program,
)
from tasks.declared.stack import DeclarationError


def main() -> NoReturn:
    """Run a command; no traceback reaches a person unless OLLAMA_STACK_DEBUG asks for it."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that knows no "●" gets a "?".
        sys.stdout.reconfigure(errors="replace")
    how = Speech()
    try:
        result = app(standalone_mode=False, prog_name="main.sh", obj=how)
        sys.exit(result if isinstance(result, int) else 0)
    except (click.exceptions.Abort, KeyboardInterrupt):
        tell_program(INTERRUPTION, how)
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        text = io.StringIO()
        error.show(text)
        show_text(text.getvalue(), end="", err=True)
        sys.exit(WRONG_USE)
    except DeclarationError as error:
        show_text(error, err=True)
        tell_program(invalid(error), how)
        sys.exit(WRONG_USE)
    except OSError as error:
        if error.errno != errno.ENOSPC or error.filename is not None:
            end_unforeseen(error, how)
        # Nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        show("cause:  no space left where the output goes", "remedy: free some", err=True)
        sys.exit(FAILED)
    except Exception as error:
        end_unforeseen(error, how)
