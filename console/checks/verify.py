"""The check of an installation: what it needs first, then testinfra's suite."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from console.checks.lines import check_lines
from console.checks.ready import findings
from console.looking.host import declared
from console.say import FAILED, WRONG_USE, end, show, tell
from console.words.trouble import Trouble
from tasks.declared.layers import ROOT

# pytest: 3 its own error, 4 wrong use, 5 no test chosen. Its 2 is a file that cannot be collected:
# a Ctrl-C ends this process as well, before it reads a status.
STATUSES = {0: 0, 4: WRONG_USE, 5: WRONG_USE}


def verify(words: Sequence[str], *, as_json: bool) -> int:
    """Check what is needed, then the installation; returns the exit status."""
    if find_spec("testinfra") is None:
        end(Trouble("testinfra is not in .venv", "./main.sh verify installs it"))
    ready = list(findings(declared(), is_here=is_here(words)))
    for finding in ready:
        show(*check_lines(finding), err=as_json)
    with tempfile.TemporaryDirectory(prefix="ollama-stack-") as folder:
        results = Path(folder) / "results.json"
        status = suite([*words, f"--results={results}"], as_json=as_json)
        if status == 0 and not all(finding.is_well for finding in ready):
            status = FAILED
        if as_json and status != WRONG_USE:
            found = json.loads(results.read_text()) if results.exists() else {}
            tell(
                {
                    "status": status,
                    "ready": [finding.as_json() for finding in ready],
                    "checks": found.get("checks", []),
                    "errors": found.get("errors", []),
                }
            )
    return status


def is_here(words: Sequence[str]) -> bool:
    """Tell whether the suite looks at this machine."""
    # "--hosts" and its value may be two words.
    joined = " ".join(words).replace("--hosts ", "--hosts=").split()
    given = [word.partition("=")[2] for word in joined if word.startswith("--hosts=")]
    return not given or given[-1].startswith("local://")


def suite(words: Sequence[str], *, as_json: bool) -> int:
    """Run testinfra's suite, its table on stdout (for programs on stderr)."""
    # -P: the folder where this is called has no say in what is imported.
    pytest = [sys.executable, "-P", "-m", "pytest", "-c", str(ROOT / "pyproject.toml")]
    # Plain asserts: pytest's own comparisons want its reporter, which the table stands in for.
    options = ["--rootdir", str(ROOT), "-p", "no:cacheprovider", "--assert=plain", "--table"]
    sys.stdout.flush()
    status = subprocess.run(
        [*pytest, *options, str(ROOT / "tests/verify"), *words],
        stdout=sys.stderr.fileno() if as_json else None,
        check=False,
    ).returncode
    return STATUSES.get(status, FAILED)
