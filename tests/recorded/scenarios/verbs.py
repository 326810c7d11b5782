"""The verbs of the console that change services."""

from __future__ import annotations

from tests.recorded.scenarios import on_converged
from tests.recorded.world import World


@on_converged
def deactivate_and_activate(w: World) -> None:
    """Services are declared inactive and active again."""
    w.console("deactivate", "mistral", "--dry")
    w.console("deactivate", "mistral")
    w.console("status")
    w.console("endpoint")
    w.console("activate", "mistral", "--json")


@on_converged
def restart(w: World) -> None:
    """A service is stopped and started, and proves itself."""
    w.console("restart", "qwen", "--dry")
    w.console("restart", "qwen")


@on_converged
def pull(w: World) -> None:
    """A further model, a main one, and one that nobody has: that is taken back."""
    w.console("pull", "qwen", "tiny-mistral:v1", "--dry")
    w.console("pull", "qwen", "tiny-mistral:v1")
    w.console("pull", "qwen", "tiny-deepseek:v1", "--use")
    w.console("pull", "qwen", "nobody-has-this:v1")
