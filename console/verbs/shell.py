"""Verbs that hand over: completion for shells, and what main.sh and its scripts do."""

from __future__ import annotations

import os
import sys

import click

from console.complete import SCRIPTS, script
from console.group import app
from console.say import json_option, show_text
from tasks.declared.layers import ROOT

# What follows is another program's to judge, --help included.
HANDED_OVER = {"ignore_unknown_options": True, "help_option_names": []}


@app.command()
@click.argument("shell", type=click.Choice(sorted(SCRIPTS)))
def completion(shell: str) -> None:
    """Print the shell's completion: eval "$(./main.sh completion bash)"."""
    show_text(script(shell), end="")


@app.command(context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@json_option()
def verify(words: tuple[str, ...], as_json: bool) -> None:
    """Check what the installation needs, then the installation itself with testinfra.

    WORDS go to pytest and testinfra: --hosts=ssh://user@host, -k qwen.
    """
    from console.checks.verify import verify as check  # noqa: PLC0415 (status does not pay for it)

    sys.exit(check(words, as_json=as_json))


def _handed_over(name: str, text: str) -> None:
    @app.command(name, help=text, context_settings=HANDED_OVER)
    @click.argument("words", nargs=-1, type=click.UNPROCESSED)
    def hand_over(words: tuple[str, ...]) -> None:
        program = str(ROOT / "main.sh")
        os.execv(program, [program, name, *words])


_handed_over("setup", "Install what is missing and converge this machine.")
_handed_over("test", "Everything that CI runs: ruff, mypy, unit tests, tests on the lab.")
_handed_over("lint", "What `test` begins with: ruff, its formatting, mypy, shellcheck.")
_handed_over("lab", "The lab: a real Docker stack with tiny models, no internet needed.")
_handed_over("bench", "Measure a converge on the lab, against pyinfra, Ansible and Compose.")
