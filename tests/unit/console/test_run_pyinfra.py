"""pyinfra as the console starts it: an interrupt ends with 130 and no traceback, however early."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from console.looking.host import PYINFRA
from tasks.declared.layers import ROOT


@pytest.mark.parametrize("marker", ["pyinfra_cli", "pyinfra.connectors", "pyinfra_cli.main"])
def test_an_interrupt_while_it_loads_ends_with_130(marker: str) -> None:
    # -v tells of each module that is imported: the interrupt comes right after one.
    process = subprocess.Popen(
        [sys.executable, "-v", *PYINFRA[1:], "@local", "deploys/stack.py", "--dry"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "STACK_FILE": os.devnull},
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(f"import '{marker}'"):
            break
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in rest
