"""The runs of this process: one a host, each with its declaration."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from pyinfra.api import Host
from pyinfra.context import ctx_host

from tasks.declared import layers
from tasks.declared.stack import DeclarationError, declare, on_hosts
from tasks.records.lockfile import LockFile
from tasks.run.run import Run
from tasks.words.failures import Failure

_RUNS: WeakKeyDictionary[Host, Run] = WeakKeyDictionary()
_LOCKS: dict[Path, LockFile] = {}


def current_run() -> Run:
    """Return the run on the current host; made, and its declaration validated, the first time.

    Raises DeclarationError.
    """
    host: Host = ctx_host.get()
    run = _RUNS.get(host)
    if run is None:
        run = _RUNS[host] = Run(host=host, stack=declare(host_layers(host)))
    return run


def declare_all() -> None:
    """Validate the declarations of all hosts of this process, before the first look at any.

    Raises DeclarationError with the faults of all of them; what is not everybody's names its host.
    """
    here: Host = ctx_host.get()
    if here in _RUNS:
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
            _RUNS[host] = Run(host=host, stack=stack)
    if faulty:
        raise DeclarationError(
            failure if len(names) == len(hosts) else on_hosts(failure, names)
            for failure, names in faulty.items()
        )


def shared_lock(path: Path) -> LockFile:
    """Return the lock, one for all hosts of this process: what one host proves, the next ones take.

    Raises LockError.
    """
    if path not in _LOCKS:
        _LOCKS[path] = LockFile.load(path)
    return _LOCKS[path]


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


def all_runs() -> list[Run]:
    """Return the runs on all hosts of this process."""
    return list(_RUNS.values())
