"""Small changes of the declaration, each followed by the converge of that one service."""

from __future__ import annotations

from console.change import Declaration, Edits, Value, run_deploy
from console.move import only_one, tell
from tasks.stack import Service


def switch(service: Service, edits: Edits, *, is_dry: bool, options: tuple[str, ...] = ()) -> int:
    """Declare something of a service and converge it; returns the exit status.

    What is declared stays, also where the converge fails: it is what the person wants, and the next
    converge goes on to it. `options` are further options of the run, as KEY=VALUE.
    """
    data = (f"only={service.name}", *options)
    with only_one():
        declaration = Declaration()
        tell(declaration, edits, is_dry=is_dry)
        with declaration.edit(edits, is_dry=is_dry) as file:
            return run_deploy("stack", data, is_dry=is_dry, say_yes=True, file=file)


def activation(service: Service, *, active: bool) -> Edits:
    """Return what declares a service active or not; nothing where it is declared so."""
    return {} if service.active is active else {("models", service.name, "active"): active}


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
