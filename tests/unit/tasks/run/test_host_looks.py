"""What a look brought back from each host reaches the console whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tasks.declared.layers import ROOT
from tasks.run.host_looks import LOOKS, HostLook, read

PROCESS = """
from tasks.run.host_looks import HostLook, write_at_exit
from tasks.words.failures import Failure
looks = {}
write_at_exit(looks, lambda: {"h2": [Failure("unreachable", "nobody answers", "switch it on")]})
looks["h1"] = HostLook('{"gpu": "off"}', "#200 http://docker/version")
"""


def test_hosts_that_were_seen_and_those_that_were_not_reached_are_read_again(
    tmp_path: Path,
) -> None:
    path = tmp_path / "looks.json"
    subprocess.run([sys.executable, "-c", PROCESS], cwd=ROOT, env={LOOKS: str(path)}, check=True)
    assert read(path) == {
        "h1": HostLook('{"gpu": "off"}', "#200 http://docker/version"),
        "h2": HostLook(cause="nobody answers", remedy="switch it on"),
    }


def test_nothing_is_read_where_nothing_was_written(tmp_path: Path) -> None:
    path = tmp_path / "looks.json"
    path.touch()
    assert read(path) == {}
