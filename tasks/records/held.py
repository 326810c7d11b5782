"""What the services of one host are held to: by stack.lock, or by the goals of an upgrade."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tasks.declared.stack import Service
from tasks.records.goals import Goal
from tasks.records.lockfile import LockFile
from tasks.records.proven import Proven, ServiceLock


@dataclass(frozen=True)
class Held:
    """The digests that the services of a host are held to.

    `lock` is shared by the hosts of a process: what one proves, the next ones take; None before it
    was read. `at_first` is what it held of this host at the first look. `goals` is what an upgrade
    or a rollback brings services to.
    """

    host: str
    lock: LockFile | None = None
    at_first: Mapping[str, ServiceLock] = field(default_factory=dict)
    goals: Mapping[str, Goal] = field(default_factory=dict)

    def by(self, lock: LockFile) -> Held:
        """Return the same with a lock that was just read."""
        return replace(self, lock=lock, at_first=lock.of_host(self.host))

    def with_goal(self, service: str, goal: Goal) -> Held:
        """Return the same with what a service is to be brought to."""
        return replace(self, goals={**self.goals, service: goal})

    def without_goal(self, service: str) -> Held:
        """Return the same once a service is where it was to be brought."""
        return replace(self, goals={n: g for n, g in self.goals.items() if n != service})

    @property
    def has_changed(self) -> bool:
        """Whether somebody else moved the lock of this host since the first look."""
        return self.lock is not None and self.lock.of_host(self.host) != self.at_first

    @property
    def services(self) -> set[str]:
        """The services of this host that were ever proven."""
        return self.lock.services(self.host) if self.lock is not None else set()

    def of(self, service: str) -> ServiceLock:
        """Return what the lock holds of a service, declared or not."""
        return ServiceLock() if self.lock is None else self.lock.service(self.host, service)

    def locked(self, service: Service) -> ServiceLock:
        """Return what the lock holds of a service."""
        return self.of(service.name)

    def image_digest(self, service: Service) -> str:
        """Return the digest that the image of a service is held to, "" where none is known yet.

        What was never proven here is taken as other services and hosts proved it.
        """
        goal = self.goals.get(service.name)
        if goal is not None and goal.image_digest:
            return goal.image_digest
        known = self.lock.known_image(service.image) if self.lock is not None else ""
        return self.locked(service).image_digest(service.image) or known

    def is_staged(self, service: Service) -> bool:
        """Tell whether this run moves the image of a service to a digest that is not proven yet."""
        goal = self.goals.get(service.name)
        return goal is not None and bool(goal.image_digest)

    def model_digests(self, service: Service) -> dict[str, str]:
        """Return the digests that the models of a service are held to."""
        known = self.lock.known_models(self.host) if self.lock is not None else {}
        goal = self.goals.get(service.name)
        moved = goal.model_digests if goal is not None else {}
        return {**known, **self.locked(service).model_digests, **moved}

    def image_before(self, service: Service) -> Proven | None:
        """Return the image that was proven before the present one, None where there was none."""
        image = self.locked(service).image
        return image.previous if image is not None else None
