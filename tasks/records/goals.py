"""What an upgrade or a rollback brings a service to, in place of what its lock holds. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tasks.declared.stack import Service
from tasks.records.proven import Proven, ServiceLock


@dataclass(frozen=True)
class Goal:
    """The digests to hold to; `reference` is the image's, as asked for. "" leaves it to the lock.

    `model` is the main model to go back to, where that has another name. `image` and `models` are
    what this run proved already and has not moved the lock to yet.
    """

    reference: str = ""
    image_digest: str = ""
    model_digests: Mapping[str, str] = field(default_factory=dict)
    model: str = ""
    image: Proven | None = None
    models: Mapping[str, Proven] = field(default_factory=dict)

    def with_proven(self, image: Proven | None, models: Mapping[str, Proven]) -> Goal:
        """Return the goal with what was just proven of it."""
        return replace(self, image=image or self.image, models={**self.models, **models})


def upgrade_goal(
    service: Service,
    lock: ServiceLock,
    image: str,
    models: Mapping[str, str],
    parts: str = "all",
) -> Goal | None:
    """Return what an upgrade brings a service to; None where it is there already.

    `image` and `models` are the digests that the registries offer for what is declared, "" and
    absent where they were not asked. With `parts` only the image or only the models move.
    """
    is_new = lock.image is None or lock.image.digest != image
    moves = {m: d for m, d in models.items() if d != lock.model_digests.get(m)}
    goal = Goal(
        service.image,
        image if image and is_new and parts != "models" else "",
        moves if parts != "image" else {},
    )
    return goal if goal.image_digest or goal.model_digests else None


def rollback_goal(service: Service, lock: ServiceLock, parts: str = "all") -> Goal | None:
    """Return what was proven before the present image and models; None where nothing was."""
    before = lock.image.previous if lock.image is not None else None
    models = {m: d for m, d in lock.previous_models.items() if m in service.models}
    main = lock.previous_main
    # The one before may be declared again already, as the console does it.
    if main is not None and service.model not in (lock.main, main.reference):
        main = None
    if main is not None:
        models[main.reference] = main.digest
    goal = Goal(
        before.reference if before is not None and parts != "models" else service.image,
        before.digest if before is not None and parts != "models" else "",
        models if parts != "image" else {},
        main.reference if main is not None and parts != "image" else "",
    )
    return goal if goal.image_digest or goal.model_digests else None
