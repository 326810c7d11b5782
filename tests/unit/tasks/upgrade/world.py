"""A model of one host with one service: it takes the steps of a real plan, bit by bit.

Each step is a list of small deeds, as the real one is of requests; a kill may come between any two
of them. Which images and which models work is drawn: a step that meets a bad one fails, and is
undone as the real one is, again deed by deed. The plans, the goals, the lock's entries and the
changes of tags and copies are the real code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tasks.containers.observed import (
    KeptImage,
    ObservedContainer,
    ObservedImage,
    ObservedServer,
    ServedModel,
    Snapshot,
)
from tasks.containers.plan import Wanted, plan_container
from tasks.containers.spec import NEXT
from tasks.containers.tags import tag_changes
from tasks.declared.stack import REPLACED
from tasks.models.kept import is_interrupted
from tasks.models.plan import WantedModels, copies, plan_models
from tasks.records.goals import Goal, rollback_goal, upgrade_goal
from tasks.records.proven import Proven, ServiceLock
from tasks.services.plan import CONTAINER_CHANGES
from tasks.upgrade.plan import in_order
from tasks.words.steps import Action, Step
from tests.unit.tasks.samples import IMAGE, container, spec, stack

STACK = stack()
SPEC = spec(STACK)
QWEN = STACK.services[0]
MODEL = QWEN.model
NAME, ASIDE = SPEC.name, SPEC.previous_name
REPOSITORY = "ollama/ollama"


class Failed(Exception):
    """A step met something that does not work."""


@dataclass
class World:
    """The engine, the volume and the lock. Images and models are told by a letter, their digest."""

    containers: dict[str, ObservedContainer] = field(default_factory=dict)
    images: set[str] = field(default_factory=set)
    tags: dict[str, str] = field(default_factory=dict)
    has_volume: bool = False
    models: dict[str, str] = field(default_factory=dict)
    lock: ServiceLock = field(default_factory=ServiceLock)
    goal: Goal | None = None
    offered: tuple[str, str] = ("a", "a")
    bad: frozenset[str] = frozenset()
    keep: bool = True
    worked: set[str] = field(default_factory=set)

    # --- what is seen -----------------------------------------------------------------------------

    def seen(self) -> Snapshot:
        images = {
            letter: ObservedImage(
                letter,
                tuple(t for t, i in self.tags.items() if i == letter),
                (digest(letter),),
                IMAGE.environment,
            )
            for letter in self.images
        }
        by_reference = {tag: images[letter] for tag, letter in self.tags.items()}
        current = self.containers.get(NAME)
        held = {name: ServedModel(name, digest(x), 1) for name, x in self.models.items()}
        is_up = current is not None and current.status == "running"
        return Snapshot(
            version="20.10.24",
            containers=tuple(self.containers.values()),
            images={**images, **by_reference},
            volumes={SPEC.volume: {}} if self.has_volume else {},
            servers={QWEN.name: ObservedServer("0.24.0", held)} if is_up else {},
            stored={} if is_up else {QWEN.name: held},
            kept=tuple(KeptImage.among(images.values(), SPEC.stack)),
        )

    def image_digest(self) -> str:
        if self.goal is not None and self.goal.image_digest:
            return self.goal.image_digest
        return self.lock.image_digest(QWEN.image)

    def previous(self) -> str | None:
        image = self.lock.image
        if image is None:
            return None
        return image.previous.digest if image.previous is not None and self.keep else ""

    def wanted_models(self) -> WantedModels:
        goal = self.goal.model_digests if self.goal is not None else {}
        return WantedModels(
            QWEN,
            {**self.lock.model_digests, **goal},
            self.lock.model_digests,
            self.lock.previous_models if self.keep else {},
            is_upgrade=self.goal is not None,
        )

    # --- what is planned --------------------------------------------------------------------------

    def set_goal(self, *, back: bool) -> None:
        """Take an upgrade or a rollback as the goal, where nothing was interrupted."""
        seen = self.seen()
        self.goal = None
        if is_interrupted(seen, NAME, QWEN, self.lock.models):
            return
        image, model = map(digest, self.offered)
        offered = upgrade_goal(QWEN, self.lock, image, {MODEL: model})
        self.goal = rollback_goal(QWEN, self.lock) if back else offered

    def plan(self) -> list[Step]:
        seen = self.seen()
        is_staged = self.goal is not None
        wanted = Wanted(QWEN, SPEC, self.image_digest(), is_staged, self.previous())
        container_steps = plan_container(wanted, seen)
        actions = {step.action for step in container_steps}
        models = plan_models(
            self.wanted_models(),
            seen.models(QWEN.name),
            container_changed=bool(actions & CONTAINER_CHANGES),
            container_proven=Action.PROVE in actions,
        )
        if self.goal is None:
            return [*container_steps, *models]
        move = Step(Action.MOVE_LOCK, QWEN.name, "move the lock", "")
        pulls = [step for step in container_steps if step.action is Action.PULL_IMAGE]
        rest = [step for step in container_steps if step not in pulls]
        return [*pulls, *in_order(rest, models, move, ASIDE)]

    # --- what is done -----------------------------------------------------------------------------

    def run(self, deeds: int | None = None) -> bool:
        """Take the plan; with `deeds` be killed after so many. Returns whether it came to its end.

        A failure is undone, and ends the run.
        """
        work = self._work()
        for number, _ in enumerate(work):
            self.check()
            if deeds is not None and number >= deeds:
                self.goal = None
                return False
        self.goal = None
        self.check()
        return True

    def _work(self) -> Iterator[None]:
        for step in self.plan():
            try:
                yield from getattr(self, step.action.name.lower())(step)
            except Failed:
                yield from self._undo(step)
                return

    def check(self) -> None:
        """See that something that worked is still there, once anything did."""
        left = {c.image_id for c in self.containers.values()}
        assert not self.worked or left & self.worked, "the last container that worked is gone"

    def pull_image(self, step: Step) -> Iterator[None]:
        letter = self.image_digest() or digest(self.offered[0])
        following = f"{REPOSITORY}:{NAME}{NEXT}"
        if self.goal is not None and following in self.tags:
            self._untag(following)
            yield
        self.images.add(letter)
        self._tag(f"{REPOSITORY}:{NAME}{NEXT}" if self.goal is not None else SPEC.image, letter)
        yield

    def tag_image(self, step: Step) -> Iterator[None]:
        if self.goal is not None and SPEC.image in self.tags:
            self._tag(f"{REPOSITORY}:{NAME}{REPLACED}", self.tags[SPEC.image])
            yield
        self._tag(SPEC.image, self.seen().image_id(self.image_digest()))
        yield

    def create_volume(self, step: Step) -> Iterator[None]:
        self.has_volume = True
        yield

    def create(self, step: Step) -> Iterator[None]:
        assert not any(c.status == "running" for c in self.containers.values()), "port taken"
        letter = self.tags[SPEC.image]
        self.containers[NAME] = container(SPEC, image_id=letter, status="created", id="n" * 64)
        yield
        self._change(NAME, status="running")
        yield
        if letter in self.bad:
            raise Failed

    def start(self, step: Step) -> Iterator[None]:
        self._change(NAME, status="running")
        yield

    def set_aside(self, step: Step) -> Iterator[None]:
        self._change(NAME, status="exited")
        yield
        self._move(NAME, ASIDE)
        yield

    def put_back(self, step: Step) -> Iterator[None]:
        self._move(ASIDE, NAME)
        yield
        self._change(NAME, status="running")
        yield

    def remove(self, step: Step) -> Iterator[None]:
        if step.subject == ASIDE:
            yield from self._tidy_tags()
        del self.containers[step.subject]
        yield
        if step.subject == ASIDE:
            yield from self._tidy_tags()

    def tidy_images(self, step: Step) -> Iterator[None]:
        yield from self._tidy_tags()

    def prove(self, step: Step) -> Iterator[None]:
        letter = self.containers[NAME].image_id
        if letter in self.bad or self.models.get(MODEL) in self.bad:
            raise Failed
        self._proven(Proven(QWEN.image, digest(letter), "now"), {})
        yield

    def prove_model(self, step: Step) -> Iterator[None]:
        letter, image = self.models[MODEL], self.containers[NAME].image_id
        if letter in self.bad or image in self.bad:
            raise Failed
        proven = {MODEL: Proven(MODEL, digest(letter), "now")}
        self._proven(Proven(QWEN.image, digest(image), "now"), proven)
        yield

    def pull_model(self, step: Step) -> Iterator[None]:
        wanted = self.wanted_models().digests.get(MODEL, "") or digest(self.offered[1])
        if wanted != digest(self.offered[1]):
            raise Failed
        self.models[MODEL] = self.offered[1]
        yield

    def upgrade_model(self, step: Step) -> Iterator[None]:
        yield from self.pull_model(step)

    def restore_model(self, step: Step) -> Iterator[None]:
        wanted = self.wanted_models().digests[MODEL]
        for name, letter in self.models.items():
            if name.startswith(f"{MODEL}-") and digest(letter) == wanted:
                self.models[MODEL] = letter
                yield
                return
        yield from self.pull_model(step)

    def keep_model(self, step: Step) -> Iterator[None]:
        self.models[MODEL + REPLACED] = self.models[MODEL]
        yield

    def tidy_models(self, step: Step) -> Iterator[None]:
        held = {name: ServedModel(name, digest(x), 1) for name, x in self.models.items()}
        for change in list(copies(self.wanted_models(), held)):
            if change.source:
                self.models[change.name] = self.models[change.source]
            else:
                del self.models[change.name]
            yield

    def move_lock(self, step: Step) -> Iterator[None]:
        assert self.goal is not None
        self.lock = self.lock.with_proven(self.goal.image, self.goal.models, is_move=True)
        self.goal = None
        yield
        yield from self.tidy_models(step)

    def _undo(self, step: Step) -> Iterator[None]:
        is_new = step.action in (Action.CREATE, Action.PROVE)
        if NAME in self.containers and (is_new or ASIDE in self.containers):
            del self.containers[NAME]
            yield
        if ASIDE in self.containers:
            yield from self.put_back(step)
        elif is_new:
            return
        replaced, present = self.models.get(MODEL + REPLACED), self.models.get(MODEL)
        is_moved = present == self.lock.model_digests.get(MODEL) and present != replaced
        if replaced is not None and not is_moved:
            self.models[MODEL] = replaced
            yield
            del self.models[MODEL + REPLACED]
            yield
        yield from self._tidy_tags()

    def _proven(self, image: Proven, models: dict[str, Proven]) -> None:
        self.worked.add(self.containers[NAME].image_id)
        if self.goal is not None:
            self.goal = self.goal.with_proven(image, models)
        else:
            self.lock = self.lock.with_proven(image, models)

    def _tidy_tags(self) -> Iterator[None]:
        proven = self.lock.image_digest(QWEN.image)
        for change in tag_changes(SPEC, proven, self.previous(), REPOSITORY, self.seen()):
            if change.source:
                self._tag(change.reference, change.source)
            else:
                self._untag(change.reference)
            yield

    def _tag(self, reference: str, letter: str) -> None:
        assert letter in self.images
        self.tags[reference] = letter

    def _untag(self, reference: str) -> None:
        """As the engine does: the last tag of an image that a container uses stays."""
        letter = self.tags[reference]
        others = [tag for tag, i in self.tags.items() if i == letter and tag != reference]
        is_used = any(c.image_id == letter for c in self.containers.values())
        if others or not is_used:
            del self.tags[reference]
        if not others and not is_used:
            self.images.remove(letter)

    def _move(self, old: str, new: str) -> None:
        assert new not in self.containers
        self.containers[new] = replace(self.containers.pop(old), name=new)

    def _change(self, name: str, **changes: str) -> None:
        self.containers[name] = replace(self.containers[name], **changes)  # type: ignore[arg-type]


def digest(letter: str) -> str:
    """Return the digest that a letter stands for: itself, so that a failure reads well."""
    return letter
