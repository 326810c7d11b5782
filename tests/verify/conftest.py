"""The declaration gives the tests their parameters; `--table` shows the results as one table."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
import testinfra  # type: ignore[import-untyped]
from pydantic import ValidationError
from testinfra.host import Host  # type: ignore[import-untyped]

from tasks.declared.layers import local_layers
from tasks.declared.stack import DeclarationError, Stack, declare
from tasks.words.steps import LOCAL
from tests.verify import DECLARED
from tests.verify.look import Look
from tests.verify.table import Table

# What a test found, for the table.
Note = Callable[[str], None]
STACK = pytest.StashKey[Stack]()
LOOKS = pytest.StashKey[dict[Host, Look]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options beside testinfra's."""
    group = parser.getgroup("ollama-stack")
    group.addoption("--table", action="store_true", help="show the results as one table")
    group.addoption("--results", default="", help="with --table: write the results here as JSON")
    group.addoption(
        "--host-name",
        default="",
        help="what the inventory calls the host, where that is not the name in --hosts",
    )


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read the declaration and the hosts; both are wrong use where they are invalid."""
    text = os.environ.get(DECLARED)
    try:
        stack = Stack.model_validate_json(text) if text else declare(local_layers())
    except (DeclarationError, ValidationError) as error:
        raise pytest.UsageError(str(error)) from None
    config.stash[STACK] = stack
    config.stash[LOOKS] = {}
    if config.getoption("tbstyle", "") == "auto":
        # The long style prints the declaration, and its environment may hold a secret.
        config.option.tbstyle = "short"
    config.option.hosts = config.option.hosts or "local://"
    try:
        found = testinfra.get_hosts(config.option.hosts.split(","))
    except (RuntimeError, ImportError, ValueError) as error:
        raise pytest.UsageError(f"--hosts={config.option.hosts}: {error}") from None
    if config.getoption("--host-name", "") and len(found) != 1:
        raise pytest.UsageError("--host-name names one host, and --hosts names several")
    if config.getoption("--table", False):
        config.pluginmanager.register(Table(config), "ollama-stack-table")


@pytest.hookimpl(trylast=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each test its services: `service` is an active one, `inactive` is not."""
    services = metafunc.config.stash[STACK].selected
    if metafunc.definition.get_closest_marker("gpu"):
        services = tuple(s for s in services if s.gpu == "required")
    name = metafunc.function.__name__
    wanted: list[Any]
    if "model" in metafunc.fixturenames:
        wanted = [(s, model) for s in services if s.active for model in s.models]
        ids = [f"{s.name}: {sentence(name, model)}" for s, model in wanted]
        metafunc.parametrize(("service", "model"), wanted, ids=ids)
        return
    for fixture, active in (("service", True), ("inactive", False)):
        if fixture in metafunc.fixturenames:
            wanted = [s for s in services if s.active == active]
            ids = [f"{s.name}: {sentence(name)}" for s in wanted]
            metafunc.parametrize(fixture, wanted, ids=ids)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Drop tests without parameters; tell the table what each test is about."""
    items[:] = [item for item in items if "NOTSET" not in item.name]
    for item in items:
        params = item.callspec.params  # type: ignore[attr-defined]
        service = params.get("service") or params.get("inactive")
        name = item.originalname  # type: ignore[attr-defined]
        item.user_properties += [
            ("host", host_name(config, params["_testinfra_host"])),
            ("service", service.name if service else "host"),
            ("check", sentence(name, params.get("model", ""))),
        ]


def sentence(name: str, model: str = "") -> str:
    """Turn the name of a test into the sentence that people read."""
    words = name.removeprefix("test_").replace("_", " ").replace("gpu", "GPU")
    return words.replace("model", f"model {model}", 1) if model else words


@pytest.fixture
def note(record_property: Callable[[str, object], None]) -> Note:
    """Return the function that gives a check its detail in the table."""
    return lambda detail: record_property("detail", detail)


@pytest.fixture
def look(host: Host, request: pytest.FixtureRequest) -> Look:
    """Return the look at the host under test; one for the whole run."""
    looks = request.config.stash[LOOKS]
    if host not in looks:
        if hasattr(host.backend, "ssh_extra_args"):
            # testinfra does not hand its own option on. Without a terminal nobody can answer ssh.
            given = request.config.option.ssh_extra_args
            host.backend.ssh_extra_args = given or "-o BatchMode=yes"
        name = host_name(request.config, host)
        looks[host] = Look(host, request.config.stash[STACK], name)
    return looks[host]


def host_name(config: pytest.Config, host: Host) -> str:
    """Name a host as pyinfra does: @local, @docker/NAME, and hosts behind SSH by their name."""
    kind, name = host.backend.NAME, host.backend.get_hostname()
    if given := config.getoption("--host-name", ""):
        return str(given)
    if kind == "local":
        return LOCAL
    return f"@{kind}/{name}" if kind in ("docker", "podman") else str(name)
