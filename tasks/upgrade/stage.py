"""The stages of an upgrade and of a rollback."""

from __future__ import annotations

from tasks.run.pyinfra.current import current_run
from tasks.run.pyinfra.stages import carry_out, stage
from tasks.upgrade.find import look_for_previous, look_for_upgrades
from tasks.upgrade.move import moves


@stage("Find upgrades")
def find_upgrades() -> None:
    """Ask the registries what they offer for what is declared, and show what would change."""
    look_for_upgrades(current_run())


@stage("Find the previous")
def find_previous() -> None:
    """Take what was proven before the present image and models as the goal; nothing is asked."""
    look_for_previous(current_run())


@stage("Move")
def move_services() -> None:
    """Pull every image, then move one service after the other."""
    for title, work in moves(current_run()):
        carry_out(title, work)
