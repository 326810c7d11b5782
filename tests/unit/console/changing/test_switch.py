"""What small changes of a service write into the declaration."""

from __future__ import annotations

import tomllib

import pytest

from console.changing.stack_toml import edited
from console.changing.switch import activation, addition
from tests.unit.tasks.samples import stack

QWEN = stack().services[0]
TOML = """\
# mine
[models.qwen]
context = 4096  # enough
"""


@pytest.mark.parametrize("active", [True, False])
def test_only_what_differs_is_declared(active: bool) -> None:
    service = QWEN.model_copy(update={"active": active})
    assert activation([service], active=active) == {}
    assert activation([service], active=not active) == {("models", "qwen", "active"): not active}


def test_the_rest_of_the_file_stays_as_it_is() -> None:
    text = edited(TOML, activation([QWEN], active=False))
    assert text.startswith(TOML.rstrip())
    assert tomllib.loads(text)["models"]["qwen"] == {"context": 4096, "active": False}


def test_a_further_model_joins_the_others() -> None:
    with_one = QWEN.model_copy(update={"also": ("a:1",)})
    assert addition(with_one, "b:1", use=False) == {("models", "qwen", "also"): ["a:1", "b:1"]}
    assert addition(with_one, "a:1", use=False) == {}
    assert addition(QWEN, QWEN.model, use=False) == {}


def test_a_model_that_is_used_is_the_main_one_and_no_further_one() -> None:
    with_one = QWEN.model_copy(update={"also": ("a:1", "b:1")})
    assert addition(with_one, "a:1", use=True) == {
        ("models", "qwen", "model"): "a:1",
        ("models", "qwen", "also"): ["b:1"],
    }
    assert addition(QWEN, QWEN.model, use=True) == {}
