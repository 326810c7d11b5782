"""The testinfra suite: green on what a converge left, red for each thing that a hand breaks."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Callable

import pytest

from tests.stack.installation import ROOT, Installation


def verify(stack: Installation, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the script that people run."""
    return subprocess.run(
        [str(ROOT / ".scripts/verify-install.sh"), *words],
        cwd=stack.folder,
        env={**stack.environment, "COLUMNS": "200"},
        text=True,
        capture_output=True,
        check=False,
    )


def stopped(stack: Installation) -> None:
    stack.client.containers.get(stack.name("qwen")).stop(timeout=1)


def wrong_port(stack: Installation) -> None:
    stack.write(qwen={"port": stack.first_port + 7})


def wrong_image(stack: Installation) -> None:
    stack.write(qwen={"image": "ollama/ollama:0.17.4"})


def missing_model(stack: Installation) -> None:
    stack.delete_model("qwen", "tiny-qwen:v1")


def wrong_row(stack: Installation) -> None:
    with sqlite3.connect(stack.database) as connection:
        connection.execute("UPDATE models SET installed_version = 'x@0' WHERE name = 'qwen'")


BREAKS: list[tuple[Callable[[Installation], None], str]] = [
    (stopped, "is exited"),
    (wrong_port, "published is"),
    (missing_model, "it holds no model"),
    (wrong_image, "declared is"),
    (wrong_row, "installed_version is"),
]


def test_a_converged_stack_is_green(stack: Installation) -> None:
    result = verify(stack)
    assert result.returncode == 0, result.stdout
    for service in ("qwen", "deepseek", "mistral"):
        assert service in result.stdout


@pytest.mark.parametrize(("damage", "part"), BREAKS, ids=[b[0].__name__ for b in BREAKS])
def test_each_breakage_is_red_and_names_what_is_wrong(
    stack: Installation, damage: Callable[[Installation], None], part: str
) -> None:
    declared = dict(stack.declared["models"]["qwen"])
    try:
        damage(stack)
        result = verify(stack, "-k", "qwen")
    finally:
        stack.declared["models"]["qwen"] = declared
        stack.write()
        assert stack.converge().status == 0
    assert result.returncode == 1, result.stdout
    assert part in result.stdout


def test_the_deploy_runs_the_same_suite_for_each_host(stack: Installation) -> None:
    assert stack.pyinfra("-y", deploy="deploys/verify.py").status == 0
    stopped(stack)
    output = stack.pyinfra("-y", deploy="deploys/verify.py")
    assert output.status == 1
    assert stack.converge().status == 0


@pytest.mark.parametrize(
    "words", [["--hosts=nonsense://x"], ["--no-such-option"], ["-k", "nobody"]]
)
def test_wrong_use_ends_with_2(stack: Installation, words: list[str]) -> None:
    assert verify(stack, *words).returncode == 2
