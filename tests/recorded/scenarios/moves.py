"""Upgrades and rollbacks, and the end of it all."""

from __future__ import annotations

from tests.fake import content
from tests.fake.host import REPOSITORY
from tests.recorded.scenarios import on_converged
from tests.recorded.world import World


def offer(w: World, behaviour: str = "serves", of_model: str = "works") -> None:
    """Let both tags lead to another image, and another model."""
    w.say(f"the tags lead to an image that {behaviour}, and a model that {of_model}")
    w.host.registry.put(REPOSITORY, "0.24.0", content.image("0.24.1", behaviour, build=2))
    model = content.model("tiny-qwen", behaviour=of_model, build=2)
    w.host.registry.put("library/tiny-qwen", "v1", model)


@on_converged
def upgrade_and_rollback(w: World) -> None:
    """To what the registries offer, and back; each is shown first."""
    w.console("rollback", "--dry")
    w.console("upgrade", "--dry")
    offer(w)
    w.run()
    w.console("upgrade", "--dry")
    w.console("upgrade", "qwen", "-y")
    w.console("status")
    w.console("rollback", "qwen", "--dry")
    w.console("rollback", "qwen", "-y")
    w.console("status", "--json")


@on_converged
def upgrade_of_all(w: World) -> None:
    """The image of all three services moves, for a program."""
    offer(w)
    w.console("upgrade", "--image", "-y", "--json")


@on_converged
def upgrade_to_a_tag(w: World) -> None:
    """Another tag is declared first; where there is none, stack.toml is put back."""
    w.host.registry.put(REPOSITORY, "0.25.0", content.image("0.25.0"))
    w.console("upgrade", "qwen", "--to", "0.25.0", "--dry")
    w.console("upgrade", "qwen", "--to", "0.25.0", "-y")
    w.console("upgrade", "qwen", "--to", "9.9.9", "-y")


@on_converged
def upgrade_that_fails(w: World) -> None:
    """An image whose server ends at once, then a model that generates nothing: put back."""
    offer(w, "exits")
    w.console("upgrade", "qwen", "-y")
    offer(w, of_model="breaks")
    w.console("upgrade", "qwen", "-y")


@on_converged
def remove(w: World) -> None:
    """The containers go, the models stay; and come back."""
    w.dry("remove")
    w.run("remove")
    w.console("status")
    w.run()


@on_converged
def remove_for_good(w: World) -> None:
    """Of one service, then of all, the models go as well."""
    w.run("remove", "only=qwen", "purge=true")
    w.dry("remove", "purge=true")
    w.run("remove", "purge=true")
