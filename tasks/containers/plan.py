"""What has to happen to a service's container, from what is declared and what is there. Pure.

Every state that an interrupted replacement leaves is told by the names and labels of containers,
so the plan starts from any of them. While a container is replaced, the one
that worked stands beside it, stopped, as NAME-previous, and is removed last.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from tasks.containers.drift import Change, differences, origin
from tasks.containers.observed import IMAGE_LABEL, STACK_LABEL, ObservedContainer, Snapshot
from tasks.containers.spec import NEXT, PREVIOUS, ContainerSpec
from tasks.containers.tags import own_tags, tag_changes
from tasks.declared.stack import REPLACED, Service
from tasks.words.digests import short
from tasks.words.failures import Failure
from tasks.words.steps import Action, Step


@dataclass(frozen=True)
class Wanted:
    """What the plan of one service starts from, besides the snapshot.

    `image_digest` is the manifest digest to hold to ("" where none is proven yet); with `staged`
    it is pulled beside what runs and bears the declared tag only when its turn comes. `previous` is
    the digest that is to be kept for a rollback ("" for none); None where nobody can tell yet;
    `kept_in` is the repository of that image.
    `needs` names the earlier stage of this run that has to bring the engine up ("" where it is up).
    `lost_gpu` is what the running container says where it cannot reach the GPU that it was given.
    """

    service: Service
    spec: ContainerSpec
    image_digest: str = ""
    staged: bool = False
    previous: str | None = None
    kept_in: str = ""
    may_adopt: bool = False
    do_restart: bool = False
    needs: str = ""
    lost_gpu: str = ""

    @property
    def target(self) -> ContainerTarget:
        """What whoever takes a step of this plan needs to know."""
        return ContainerTarget.of(self.service, self.spec, self.image_digest, staged=self.staged)


@dataclass(frozen=True)
class ContainerTarget:
    """The declared container of a service.

    `image_digest` is what its image is held to, "" where nothing was proven yet. `staged_tag` is
    the tag of our own that an image bears until its turn comes, "" where that is at once.
    """

    service: Service
    spec: ContainerSpec
    image_digest: str = ""
    staged_tag: str = ""

    @classmethod
    def of(
        cls, service: Service, spec: ContainerSpec, image_digest: str, *, staged: bool
    ) -> ContainerTarget:
        """Return the target of a service; `staged`: its image waits for its turn."""
        return cls(service, spec, image_digest, spec.name + NEXT if staged else "")


def refusal(wanted: Wanted, snapshot: Snapshot) -> Failure | None:
    """Return why the service cannot be touched at all: a name of its belongs to somebody else."""
    if not wanted.service.active:
        return None
    name, aside = wanted.spec.name, wanted.spec.previous_name
    other = snapshot.named(aside)
    if other is not None and not other.is_of(wanted.spec.stack):
        # Never taken over: what is set aside is removed in the end, and nobody consented to that.
        failure = _not_ours(wanted, f"container {aside}", "")
        return replace(failure, remedy=_rename(aside))
    if wanted.may_adopt:
        return None
    other = snapshot.named(name)
    if other is not None and not other.is_of(wanted.spec.stack):
        return _not_ours(wanted, f"container {name}", _rename(name))
    volume = snapshot.volumes.get(wanted.spec.volume)
    has_container = any(c.is_of(wanted.spec.stack) for c in _named(wanted, snapshot))
    if volume is not None and volume.get(STACK_LABEL) != wanted.spec.stack and not has_container:
        way_out = "declare another container_prefix"
        return _not_ours(wanted, f"volume {wanted.spec.volume}", way_out)
    return None


def _rename(name: str) -> str:
    return f"rename it (docker rename {name} {name}-mine)"


def _named(wanted: Wanted, snapshot: Snapshot) -> list[ObservedContainer]:
    names = (wanted.spec.name, wanted.spec.previous_name)
    return [c for c in snapshot.containers if c.name in names]


def _not_ours(wanted: Wanted, thing: str, way_out: str) -> Failure:
    return Failure(
        f"{thing} is not ours",
        f"it exists and does not carry the labels of this stack ({wanted.spec.stack})",
        f"{way_out}, or let this stack take it over with --data adopt={wanted.service.name}"
        " (what is on its volumes stays)",
        wanted.service.name,
    )


def plan_container(wanted: Wanted, snapshot: Snapshot) -> list[Step]:
    """Plan the container of one service. An empty list: it is as declared."""
    if not wanted.service.active:
        return _plan_inactive(wanted, snapshot)
    return _Planner(wanted, snapshot).steps()


def _plan_inactive(wanted: Wanted, snapshot: Snapshot) -> list[Step]:
    container = snapshot.named(wanted.spec.name)
    if container is None or not container.is_of(wanted.spec.stack):
        return []
    if container.status not in ("running", "paused", "restarting"):
        return []
    return [
        Step(
            Action.STOP,
            container.name,
            f"stop container {container.name}",
            "declared inactive; it is kept",
            wanted.service.name,
            target=wanted.target,
        )
    ]


def has_inherited_labels(container: ObservedContainer) -> bool:
    """Tell whether a container only bears our labels because its image does.

    `docker commit` writes a container's labels into the image, and so into all that is made of it;
    a container that we made says itself which image it was made from.
    """
    return container.labels.get(IMAGE_LABEL, container.image) != container.image


class _Planner:
    """Plans one active service; only a namespace for what its parts share."""

    def __init__(self, wanted: Wanted, snapshot: Snapshot) -> None:
        self.wanted, self.spec, self.snapshot = wanted, wanted.spec, snapshot
        self.current = snapshot.named(self.spec.name)
        self.previous = snapshot.named(self.spec.previous_name)
        named = (self.spec.name, self.spec.previous_name)
        self.strays = [
            c
            for c in snapshot.containers
            if c.is_of(self.spec.stack) and c.service == self.spec.service and c.name not in named
            if not has_inherited_labels(c)
        ]

    def steps(self) -> list[Step]:
        steps = self._steps()
        # With the container that was set aside its images are put in order as well.
        aside = (Action.REMOVE, self.spec.previous_name)
        is_tidied = any((step.action, step.subject) == aside for step in steps)
        return steps if is_tidied else [*steps, *self._tidy()]

    def _steps(self) -> list[Step]:
        steps = self._renamed()
        if self.current is None:
            rest = (
                self._finish_without_current(self.previous)
                if self.previous is not None
                else self._create("there is none")
            )
            return [*steps, *rest]
        changes = self._drift(self.current)
        if changes:
            return [*steps, *self._replace(self.current, changes)]
        steps += self._running(self.current)
        if self.previous is not None:
            return [*steps, self._prove(), self._remove_previous("the replacement was interrupted")]
        return steps

    def _renamed(self) -> list[Step]:
        """Give a renamed container its name back; remove others that pretend to be this service."""
        steps = []
        strays = sorted(self.strays, key=lambda c: (not c.is_running, c.name))
        if self.current is None and strays:
            stray = strays.pop(0)
            self.current = stray
            steps.append(
                self._step(
                    Action.RENAME,
                    stray.name,
                    f"rename container {stray.name} to {self.spec.name}",
                    "renamed by hand",
                )
            )
        for stray in strays:
            text = f"remove container {stray.name}"
            steps.append(
                self._step(Action.REMOVE, stray.name, text, f"a second one of {self.spec.service}")
            )
        return steps

    def _explain(self, container: ObservedContainer, changes: list[Change]) -> str:
        """Return the reasons of a replacement as one line."""
        who = "asked for" if self.wanted.staged else origin(self.spec, container)
        if self.wanted.lost_gpu and container is self.current:
            who = f"inside it nvidia-smi says: {self.wanted.lost_gpu}"
        return f"{'; '.join(map(str, changes))}; {who}"

    def _drift(self, container: ObservedContainer) -> list[Change]:
        images, digest = self.snapshot.images, self.wanted.image_digest
        found = differences(self.spec, container, images, digest, "this stack (adopted)")
        if not container.is_of(self.spec.stack):
            return found
        if self.wanted.lost_gpu and container is self.current:
            found.append(Change("GPU", "lost", "there"))
        if container.status in ("dead", "removing"):
            found.append(Change("state", container.status, "running"))
        return found

    def _running(self, current: ObservedContainer) -> list[Step]:
        name = self.spec.name
        if current.status == "running" and self.wanted.do_restart:
            stop = self._step(Action.STOP, name, f"stop container {name}", "a restart, asked for")
            return [stop, self._step(Action.START, name, f"start container {name}", "asked for")]
        if current.status == "running":
            return []
        if current.status == "paused":
            why = "it was paused"
            return [self._step(Action.UNPAUSE, name, f"unpause container {name}", why)]
        why = f"it is {current.status}"
        if current.status == "exited":
            why = f"it was stopped (exit code {current.exit_code})"
        return [self._step(Action.START, name, f"start container {name}", why)]

    def _replace(self, current: ObservedContainer, changes: list[Change]) -> list[Step]:
        why = self._explain(current, changes)
        name, aside = self.spec.name, self.spec.previous_name
        if self.previous is None:
            text = f"stop container {name}, keep it as {aside}"
            first = self._step(Action.SET_ASIDE, name, text, why)
            return [*self._image(), first, *self._create_over_previous(why)]
        because = f"its replacement was interrupted and it is not as declared: {why}"
        first = self._step(Action.REMOVE, name, f"remove container {name}", because)
        if not self._drift(self.previous):
            return [first, self._put_back(self.previous)]
        return [*self._image(), first, *self._create_over_previous(why)]

    def _finish_without_current(self, previous: ObservedContainer) -> list[Step]:
        """Only the set-aside container is there: put it back if it is as declared, else go on."""
        changes = self._drift(previous)
        if changes:
            why = self._explain(previous, changes)
            return [*self._image(), *self._create_over_previous(why)]
        return [self._put_back(previous)]

    def _put_back(self, previous: ObservedContainer) -> Step:
        text = f"put container {previous.name} back as {self.spec.name}"
        why = "a replacement was interrupted"
        return self._step(Action.PUT_BACK, previous.name, text, why)

    def _create_over_previous(self, why: str) -> list[Step]:
        name = self.spec.name
        return [
            *self._volume(),
            self._step(Action.CREATE, name, f"create and start container {name}", why),
            self._prove(),
            self._remove_previous("replaced"),
        ]

    def _create(self, why: str) -> list[Step]:
        text = f"create and start container {self.spec.name}"
        return [
            *self._image(),
            *self._volume(),
            self._step(Action.CREATE, self.spec.name, text, why),
        ]

    def _image(self) -> list[Step]:
        image = self.snapshot.images.get(self.spec.image)
        digest = self.wanted.image_digest
        if image is not None and (not digest or digest in image.digests):
            return []
        text = self.spec.image + (f"@{short(digest)}" if digest else "")
        why = "not here yet" if image is None else "the local tag is another image"
        tagging = f"tag image {text} as {self.spec.image}"
        tag = self._step(Action.TAG_IMAGE, self.spec.image, tagging, "")
        if digest and self.snapshot.image_id(digest):
            return [tag]
        pull = self._step(Action.PULL_IMAGE, self.spec.image, f"pull image {text}", why)
        return [pull, tag] if self.wanted.staged else [pull]

    def _volume(self) -> list[Step]:
        if self.spec.volume in self.snapshot.volumes:
            return []
        text = f"create volume {self.spec.volume}"
        return [self._step(Action.CREATE_VOLUME, self.spec.volume, text, "there is none")]

    def _tidy(self) -> list[Step]:
        """Clear away the tags of an interrupted run; keep what a rollback needs, and no more."""
        wanted, name = self.wanted, self.spec.name
        if wanted.staged:
            return []
        changes = tag_changes(
            self.spec, wanted.image_digest, wanted.previous, wanted.kept_in, self.snapshot
        )
        if not changes:
            return []
        why = ", ".join(
            f"{'keep' if change.source else 'drop'} {change.reference.rpartition(':')[2]}"
            for change in changes
        )
        return [self._step(Action.TIDY_IMAGES, name, f"tidy the images of {name}", why)]

    def _prove(self) -> Step:
        text = f"prove container {self.spec.name} by a generation"
        return self._step(Action.PROVE, self.spec.name, text, "")

    def _remove_previous(self, why: str) -> Step:
        aside = self.spec.previous_name
        return self._step(Action.REMOVE, aside, f"remove container {aside}", why)

    def _step(self, action: Action, subject: str, text: str, why: str) -> Step:
        service, needs = self.wanted.service.name, self.wanted.needs
        return Step(action, subject, text, why, service, needs, self.wanted.target)


FREES_A_PORT = (Action.SET_ASIDE, Action.STOP)


def order_by_ports(
    plans: Mapping[str, list[Step]], ports: Mapping[str, int], published: Mapping[str, set[int]]
) -> dict[str, list[Step]]:
    """Let a service that gives up a port do so before another one is created on it.

    `plans` are the container steps by service, `ports` the declared ports, `published` what the
    containers of the services publish now. Two services may change places this way.
    """
    ordered = {name: list(steps) for name, steps in plans.items()}
    names = list(ordered)
    for number, name in enumerate(names):
        if not any(step.action is Action.CREATE for step in ordered[name]):
            continue
        # Whoever comes earlier has given up its port by then.
        for other in names[number + 1 :]:
            theirs = ordered[other]
            ends = [i + 1 for i, step in enumerate(theirs) if step.action in FREES_A_PORT]
            if ends and ports[name] in published.get(other, ()):
                ordered[name] = [*theirs[: ends[0]], *ordered[name]]
                ordered[other] = theirs[ends[0] :]
    return ordered


def without_repeated_pulls(plans: Mapping[str, list[Step]]) -> dict[str, list[Step]]:
    """Leave each pull and each tag of an image to the first service that needs it."""
    pulled: set[str] = set()
    kept: dict[str, list[Step]] = {}
    for name, steps in plans.items():
        kept[name] = []
        for step in steps:
            if step.action in (Action.PULL_IMAGE, Action.TAG_IMAGE):
                if step.text in pulled:
                    continue
                pulled.add(step.text)
            kept[name].append(step)
    return kept


def plan_orphans(
    stack: str,
    declared: set[str],
    snapshot: Snapshot,
    *,
    prune: bool,
    purge: bool,
    known: Collection[str] = (),
    paths: Collection[str] = (),
) -> tuple[list[Step], list[str]]:
    """Plan what is ours and no longer declared. Returns the steps, and notes on what is left.

    `known` are services of which images may be kept, `paths` the repositories of their images: the
    tags bear no label, and another stack's may begin like ours.
    """
    steps: list[Step] = []
    notes: list[str] = []
    for container in snapshot.containers:
        if not container.is_of(stack) or container.service in declared:
            continue
        if has_inherited_labels(container):
            continue
        name = container.name
        if prune:
            text = f"remove container {name}"
            steps.append(Step(Action.REMOVE, name, text, "no longer declared"))
        else:
            notes.append(
                f"container {name} is ours and no longer declared; --data prune=true removes it"
            )
    for name, labels in snapshot.volumes.items():
        service = name.removeprefix(stack)
        if labels.get(STACK_LABEL) != stack or service in declared:
            continue
        if purge:
            text = f"remove volume {name} with its models"
            steps.append(Step(Action.REMOVE_VOLUME, name, text, "no longer declared"))
        else:
            notes.append(
                f"volume {name} is ours and no longer declared;"
                " --data prune=true --data purge=true removes it and its models"
            )
    gone = {name for name in set(known) - declared if not _is_of_others(stack, name, snapshot)}
    tags = {f"{stack}{name}{end}" for name in gone for end in (PREVIOUS, NEXT, REPLACED)}
    for image in own_tags(snapshot.kept, paths):
        if purge and image.reference.rpartition(":")[2] in tags:
            text = f"remove image {image.reference}"
            steps.append(Step(Action.REMOVE_IMAGE, image.reference, text, "no longer declared"))
    return steps, notes


def _is_of_others(stack: str, service: str, snapshot: Snapshot) -> bool:
    """Tell whether the name of a service's container and volume is another stack's by now."""
    name = stack + service
    container, volume = snapshot.named(name), snapshot.volumes.get(name)
    return (
        any(foreign.name == name for foreign in snapshot.foreign)
        or (container is not None and not container.is_of(stack))
        or (volume is not None and volume.get(STACK_LABEL) != stack)
    )
