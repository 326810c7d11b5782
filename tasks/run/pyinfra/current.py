"""The run on pyinfra's current host, and the declarations of all hosts that it knows."""

from __future__ import annotations

from typing import Any

from pyinfra.api import Host
from pyinfra.context import ctx_host

from tasks.declared import layers
from tasks.declared.stack import DeclarationError, Stack, declare, on_hosts
from tasks.run.pyinfra.host_shell import PyinfraScreen, PyinfraShell
from tasks.run.run import Run
from tasks.run.session import SESSION
from tasks.words.failures import Failure


def current_run() -> Run:
    """Return the run on the current host; made, and its declaration validated, the first time.

    Raises DeclarationError.
    """
    host: Host = ctx_host.get()
    if host.name not in SESSION.runs:
        _begin(host, declare(host_layers(host)))
    return SESSION.runs[host.name]


def _begin(host: Host, stack: Stack) -> None:
    SESSION.runs[host.name] = Run.on(PyinfraShell(host), PyinfraScreen(host), stack)


def is_executing() -> bool:
    """Tell the second phase, where things change, from the first."""
    host: Host = ctx_host.get()
    return bool(host.state.is_executing)


def declare_all() -> None:
    """Validate the declarations of all hosts of this process, before the first look at any.

    Raises DeclarationError with the faults of all of them; what is not everybody's names its host.
    """
    here: Host = ctx_host.get()
    if here.name in SESSION.runs:
        return
    hosts = [host for host in here.inventory if here.state.is_host_in_limit(host)]
    faulty: dict[Failure, list[str]] = {}
    for host in hosts:
        try:
            stack = declare(host_layers(host))
        except DeclarationError as error:
            for failure in error.failures:
                faulty.setdefault(failure, []).append(host.name)
            continue
        if host in here.state.active_hosts:
            _begin(host, stack)
    if faulty:
        raise DeclarationError(
            failure if len(names) == len(hosts) else on_hosts(failure, names)
            for failure, names in faulty.items()
        )


def host_layers(host: Host) -> layers.Merged:
    """Merge the declaration of one host; see design: all < group < host < stack.toml < --data."""
    inventory = host.inventory
    toml, faults = layers.toml_layer(layers.stack_file())
    groups = [
        layers.Layer(f"group_data/{group}.py", _own(inventory.get_group_data(group)))
        for group in host.groups
    ]
    merged = layers.merge(
        [
            layers.defaults_layer(),
            layers.Layer(layers.DEFAULTS, _own(inventory.get_data())),
            *groups,
            layers.Layer(f"host data of {host.name}", _own(inventory.get_host_data(host.name))),
            toml,
            layers.Layer(layers.RUN_OPTIONS_SOURCE, dict(inventory.get_override_data())),
        ]
    )
    merged.faults[:0] = faults
    return merged


def _own(data: Any) -> dict[str, Any]:
    return layers.python_settings(dict(data))
