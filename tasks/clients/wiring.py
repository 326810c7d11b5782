"""What clients are wired to: the active services, with what their models can do. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tasks.containers.observed import Snapshot
from tasks.declared.addresses import openai_url
from tasks.declared.environment import CONTEXT_VARIABLE
from tasks.declared.stack import Role, Service, Stack, service_url
from tasks.records.proven import ServiceLock
from tasks.servers.abilities import Show

# Part of the context that an answer may take, and its most in tokens: the rest is the question's.
ANSWER_PART = 4
LONGEST_ANSWER = 4096
# In seconds, some thirty years.
LONGEST_STAY = 10**9
# Of a container that anybody may have made: "²" is a digit for Python, and 5000 of them no number.
_CONTEXT = re.compile("0*[1-9][0-9]{0,8}", re.ASCII)
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
# What is known of models, by service and model.
Shows = Mapping[tuple[str, str], Show]


@dataclass(frozen=True)
class WiredModel:
    """A model as clients see it. `context` is in tokens: the server's, at most what it was trained
    for."""

    name: str
    context: int
    abilities: frozenset[str]

    @property
    def answer(self) -> int:
        """The most tokens of an answer."""
        return min(LONGEST_ANSWER, self.context // ANSWER_PART)

    def can(self, ability: str) -> bool:
        """Tell whether the model has an ability."""
        return ability in self.abilities

    @property
    def talks(self) -> bool:
        """Tell a model to talk to from one that only embeds."""
        return self.can("completion") or not self.can("embedding")


@dataclass(frozen=True)
class WiredService:
    """A service as clients see it. `id` is what it is called in their files: its container's name.

    `models` has the main one first; `agent` is the one that agents use. `keep_alive` is in seconds,
    -1 for ever. `is_known` is False where its server did not tell: what was written before is left
    as it is.
    """

    name: str
    id: str
    role: str
    asks: Role
    url: str
    models: tuple[WiredModel, ...]
    agent: WiredModel
    keep_alive: int = 300
    is_known: bool = True

    @property
    def main(self) -> WiredModel:
        """The main model."""
        return self.models[0]

    @property
    def openai(self) -> str:
        """Base URL of the OpenAI side."""
        return openai_url(self.url)

    @property
    def title(self) -> str:
        """What people see."""
        return f"{self.name}, {self.role}" if self.role else self.name


@dataclass(frozen=True)
class Wiring:
    """All that the files of clients are made from."""

    prefix: str
    services: tuple[WiredService, ...]
    sets_defaults: bool = True

    @property
    def unknown(self) -> set[str]:
        """The services whose servers did not tell of all their models."""
        return {service.name for service in self.services if not service.is_known}

    def serving(self, agent: str) -> WiredService | None:
        """Return the service that stands behind an agent of Kilo Code; None where none is."""
        return next((s for s in self.services if agent in s.asks.agents), None)

    @property
    def first(self) -> WiredService | None:
        """The service that clients talk to where a person names none."""
        return self.serving("code") or next(iter(self.services), None)


def known_shows(locks: Mapping[str, ServiceLock]) -> Shows:
    """Return what was seen of models when they were proven; `locks` are by service."""
    return {
        (service, name): Show(frozenset(proven.abilities), proven.context)
        for service, lock in locks.items()
        for name, proven in lock.models.items()
        if proven.abilities
    }


def wiring_of(stack: Stack, snapshot: Snapshot, shows: Shows) -> Wiring:
    """Return what the clients of a host are wired to: its active services."""
    services = tuple(_wired(stack, s, snapshot, shows) for s in stack.services if s.active)
    return Wiring(stack.container_prefix, services, stack.client_defaults)


def _wired(stack: Stack, service: Service, snapshot: Snapshot, shows: Shows) -> WiredService:
    context = running_context(stack, service, snapshot)
    models = {
        name: _model(name, context, shows.get((service.name, name))) for name in service.models
    }
    return WiredService(
        name=service.name,
        id=stack.container_name(service),
        role=service.role,
        asks=stack.role_of(service),
        url=client_url(stack, service),
        models=tuple(models.values()),
        agent=models[service.agent_model],
        keep_alive=seconds(service.keep_alive),
        is_known=all((service.name, name) in shows for name in service.models),
    )


def _model(name: str, context: int, show: Show | None) -> WiredModel:
    if show is None:
        return WiredModel(name, context, frozenset())
    limit = show.trained_context or context
    return WiredModel(name, min(context, limit), show.abilities)


def running_context(stack: Stack, service: Service, snapshot: Snapshot) -> int:
    """Return the context in tokens that the running server gives; the declared one elsewhere."""
    container = snapshot.named(stack.container_name(service))
    told = container.environment.get(CONTEXT_VARIABLE, "") if container is not None else ""
    return int(told) if _CONTEXT.fullmatch(told) else service.context


def seconds(duration: str) -> int:
    """Return a duration of Ollama's ("10m", "1h30m", "-1") in whole seconds."""
    if duration in ("-1", "0"):
        return int(duration)
    parts = re.findall(r"([0-9.]+)(ms|s|m|h)", duration)
    # Of hundreds of digits there is no float.
    return round(min(LONGEST_STAY, sum(float(number) * _UNITS[unit] for number, unit in parts)))


def client_url(stack: Stack, service: Service) -> str:
    """Return the URL by which clients reach a service."""
    return service_url(stack.client_host or service.bind, service.port)
