"""What stack.lock holds of a service: the image and the models that a generation proved."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Proven:
    """What was asked for and the manifest digest that a generation proved; `at` is UTC.

    `processor` is where a model ran: "GPU", "CPU" or "GPU 43 %"; "" for an image. `size` is in
    bytes, `rate` in tokens a second, 0 where nobody told. `abilities` are what its server says that
    a model can do, `missed` those of which nothing came when they were tried, `context` the tokens
    that it was trained for. `previous` is what was proven before it, and has none itself. `unknown`
    is what else the lock holds of this very digest.
    """

    reference: str
    digest: str
    at: str
    processor: str = ""
    size: int = 0
    rate: float = 0
    abilities: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    context: int = 0
    previous: Proven | None = None
    unknown: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def after(self, old: Proven | None) -> Proven:
        """Return this as the successor of an older entry; the same digest keeps its history."""
        if old is None:
            return self
        if old.digest == self.digest:
            return replace(self, previous=old.previous, unknown=old.unknown)
        return replace(self, previous=replace(old, previous=None))

    def is_same(self, old: Proven | None) -> bool:
        """Tell whether an entry says the same already; when and how large do not matter."""
        return old is not None and self._claim == old._claim

    @property
    def _claim(self) -> tuple[Any, ...]:
        what = (self.reference, self.digest, self.processor)
        return (*what, self.abilities, self.missed, self.context)


@dataclass(frozen=True)
class ServiceLock:
    """The proven image and models (by declared name) of one service; `main` names the main one.

    `unknown` is what else the lock holds of the service.
    """

    image: Proven | None = None
    models: dict[str, Proven] = field(default_factory=dict)
    main: str = ""
    unknown: Mapping[str, Any] = field(default_factory=dict)

    def with_proven(
        self,
        image: Proven | None,
        models: Mapping[str, Proven],
        main: str = "",
        *,
        is_move: bool = False,
    ) -> ServiceLock:
        """Return the entry after these were proven; what says the same already stays as it is.

        `main` is the service's main model, where it is among them; another one than before has that
        one as its predecessor. `is_move`: all of it is one generation, so that what it did not move
        has no predecessor any more, and a rollback undoes this move and no earlier one.
        """
        new = {
            name: proven.after(self.models.get(name))
            for name, proven in models.items()
            if not proven.is_same(self.models.get(name))
        }
        main = main or self.main
        before = self.models.get(self.main)
        if main != self.main and main in models and before is not None:
            present = new.get(main) or self.models[main]
            new[main] = replace(present, previous=replace(before, previous=None))
        is_new_image = image is not None and not image.is_same(self.image)
        if not new and not is_new_image and main == self.main:
            return self
        moved = image.after(self.image) if image is not None and is_new_image else self.image
        entry = replace(self, image=moved, models={**self.models, **new}, main=main)
        return entry._after_a_move_from(self) if is_move else entry

    def _after_a_move_from(self, old: ServiceLock) -> ServiceLock:
        """Forget the predecessors of what did not move."""

        def of_this_move(now: Proven, before: Proven | None) -> Proven:
            is_same = before is not None and now.digest == before.digest
            return replace(now, previous=None) if is_same else now

        models = {
            name: proven
            if name == self.main != old.main
            else of_this_move(proven, old.models.get(name))
            for name, proven in self.models.items()
        }
        image = of_this_move(self.image, old.image) if self.image is not None else None
        return replace(self, image=image, models=models)

    def without_models(self, names: Collection[str]) -> ServiceLock:
        """Return the entry after models are no more: nobody can go back to them either."""

        def without_its_predecessor(proven: Proven) -> Proven:
            before = proven.previous
            is_gone = before is not None and before.reference in names
            return replace(proven, previous=None) if is_gone else proven

        left = {n: without_its_predecessor(p) for n, p in self.models.items() if n not in names}
        return replace(self, models=left)

    def image_digest(self, reference: str) -> str:
        """Return the proven digest of an image, "" where this reference was never proven."""
        image = self.image
        return image.digest if image is not None and image.reference == reference else ""

    @property
    def model_digests(self) -> dict[str, str]:
        """The proven digests of the models, by declared name."""
        return {name: proven.digest for name, proven in self.models.items()}

    @property
    def unknown_models(self) -> frozenset[str]:
        """The models that were proven before anybody looked at what they can do."""
        return frozenset(name for name, proven in self.models.items() if not proven.abilities)

    @property
    def abilities(self) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
        """What models can do, by name: as their server told, and of that what missed when tried."""
        return {n: (p.abilities, p.missed) for n, p in self.models.items() if p.abilities}

    @property
    def gpu_models(self) -> frozenset[str]:
        """The models that ran wholly on the GPU when they were proven."""
        return frozenset(name for name, proven in self.models.items() if proven.processor == "GPU")

    @property
    def partial_models(self) -> frozenset[str]:
        """The models that ran at least partly on the GPU when they were proven: "GPU 43 %"."""
        parts = (name for name, p in self.models.items() if p.processor.endswith("%"))
        return self.gpu_models | frozenset(parts)

    def rate(self, model: str, processor: str) -> float:
        """Return the tokens a second that a model made when it was proven there, 0 if unknown."""
        proven = self.models.get(model)
        return proven.rate if proven is not None and proven.processor == processor else 0

    @property
    def previous_models(self) -> dict[str, str]:
        """The digests that were proven before the present ones, by declared name."""
        before = ((name, proven.previous) for name, proven in self.models.items())
        return {n: p.digest for n, p in before if p is not None and p.reference == n}

    @property
    def previous_main(self) -> Proven | None:
        """The main model before the present one, where it has another name."""
        main = self.models.get(self.main)
        before = main.previous if main is not None else None
        return before if before is not None and before.reference != self.main else None
