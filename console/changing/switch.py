"""Small changes of the declaration, each followed by the converge of those services."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from console.changing.doing import Doing
from console.changing.move import only_one, run_declared
from console.changing.stack_toml import Edits, Value
from tasks.declared.stack import Service, Stack


def switch(
    doing: Doing,
    selections: Sequence[str],
    edits: Edits,
    options: Iterable[str] = (),
    back_to: Stack | None = None,
) -> int:
    """Declare something and converge the services that it is about; returns the exit status.

    What is declared stays, also where the converge fails: it is what the person wants, and the next
    converge goes on to it. With `back_to`, the declaration before, it is taken back: a model that
    cannot be had would make every converge fail. `options` are further ones of the runs, KEY=VALUE.
    """

    def run(file: Path) -> int:
        return worst(
            doing.run("stack", [*selection(only), *options], say_yes=True, file=file)
            for only in selections
        )

    with only_one():
        return run_declared(doing, edits, run, back_to=back_to)


def selection(only: str) -> list[str]:
    """Return the option of a run for one service; none for a run for all of them ("")."""
    return [f"only={only}"] if only else []


def selections(stack: Stack, services: Sequence[Service]) -> list[str]:
    """Return the runs that converge these services: one for each, or one ("") for all."""
    if {s.name for s in services} == {s.name for s in stack.services}:
        return [""]
    return [service.name for service in services]


def worst(statuses: Iterable[int]) -> int:
    """Go through the runs and return the first status that is not 0; an interrupted one ends it."""
    found = 0
    for status in statuses:
        found = found or status
        if status >= 128:
            return status
    return found


def activation(services: Iterable[Service], *, active: bool) -> Edits:
    """Return what declares services active or not; nothing of those that are declared so."""
    return {("models", s.name, "active"): active for s in services if s.active is not active}


def addition(service: Service, model: str, *, use: bool) -> Edits:
    """Return what declares a further model of a service, or with `use` its main one."""
    if use:
        edits: dict[tuple[str, ...], Value] = {}
        if model != service.model:
            edits["models", service.name, "model"] = model
        if model in service.also:
            rest = [name for name in service.also if name != model]
            edits["models", service.name, "also"] = rest
        return edits
    if model in (service.model, *service.also):
        return {}
    return {("models", service.name, "also"): [*service.also, model]}
