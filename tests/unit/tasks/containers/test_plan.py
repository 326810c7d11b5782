"""The plan of a container, from every state that a hand or an interruption can leave."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.containers.observed import (
    SERVICE_LABEL,
    STACK_LABEL,
    ForeignContainer,
    KeptImage,
    ObservedContainer,
    ObservedImage,
    Snapshot,
)
from tasks.containers.plan import (
    Wanted,
    order_by_ports,
    plan_container,
    plan_orphans,
    refusal,
    without_repeated_pulls,
)
from tasks.containers.tags import TagChange, tag_changes
from tasks.models.kept import is_interrupted
from tasks.words.steps import Action, Step
from tests.unit.tasks.samples import DIGEST, IMAGE, OTHER_DIGEST, container, snapshot, spec, stack

STACK = stack()
SPEC = spec(STACK)
QWEN = STACK.services[0]
WANTED = Wanted(QWEN, SPEC, DIGEST)
NAME, ASIDE = SPEC.name, SPEC.previous_name


def actions(seen: Snapshot, wanted: Wanted = WANTED) -> list[str]:
    return [str(step.action) for step in plan_container(wanted, seen)]


def test_nothing_there_means_volume_and_container() -> None:
    assert actions(snapshot()) == ["create volume", "create"]


def test_without_the_image_it_is_pulled_first_and_by_its_proven_digest() -> None:
    steps = plan_container(WANTED, snapshot(images={}))
    assert steps[0].text == f"pull image ollama/ollama:0.24.0@{DIGEST[7:19]}"


def test_as_declared_means_no_step() -> None:
    assert actions(snapshot(container(SPEC))) == []


@pytest.mark.parametrize(
    ("status", "expected"),
    [("paused", ["unpause"]), ("exited", ["start"]), ("created", ["start"])],
)
def test_a_container_that_does_not_run_is_brought_to_run(status: str, expected: list[str]) -> None:
    assert actions(snapshot(container(SPEC, status=status))) == expected


def test_fault_1_a_container_that_lost_the_gpu_is_replaced_on_its_volume() -> None:
    lost = replace(WANTED, lost_gpu="Failed to initialize NVML: Unknown Error")
    steps = plan_container(lost, snapshot(container(SPEC)))
    expected = ["set aside", "create", "prove", "remove"]
    assert [str(step.action) for step in steps][:4] == expected
    assert steps[0].why == (
        "GPU lost → there; inside it nvidia-smi says: Failed to initialize NVML: Unknown Error"
    )


def test_a_renamed_container_gets_its_name_back() -> None:
    assert actions(snapshot(container(SPEC, name="foo"))) == ["rename"]


def test_a_second_container_of_the_service_is_removed() -> None:
    steps = plan_container(WANTED, snapshot(container(SPEC), container(SPEC, name="foo", id="d")))
    assert [(s.action, s.subject) for s in steps] == [(Action.REMOVE, "foo")]


def test_drift_replaces_the_container_and_proves_the_new_one_before_the_old_one_goes() -> None:
    assert actions(snapshot(container(SPEC, memory=5))) == [
        "set aside",
        "create",
        "prove",
        "remove",
    ]


def test_a_replacement_that_was_interrupted_before_the_proof_is_proven() -> None:
    seen = snapshot(container(SPEC), container(SPEC, name=ASIDE, memory=5, status="exited"))
    assert actions(seen) == ["prove", "remove"]


def test_only_the_old_one_left_and_as_declared_comes_back() -> None:
    assert actions(snapshot(container(SPEC, name=ASIDE, status="exited"))) == ["put back"]


def test_only_the_old_one_left_and_not_as_declared_stays_until_the_new_one_is_proven() -> None:
    seen = snapshot(container(SPEC, name=ASIDE, status="exited", memory=5))
    assert actions(seen) == ["create", "prove", "remove"]


def test_inactive_means_stopped_and_kept() -> None:
    wanted = replace(WANTED, service=QWEN.model_copy(update={"active": False}))
    assert actions(snapshot(), wanted) == []
    assert actions(snapshot(container(SPEC)), wanted) == ["stop"]
    assert actions(snapshot(container(SPEC, status="exited")), wanted) == []


def test_fault_33_a_foreign_container_of_our_name_is_refused_without_consent() -> None:
    seen = snapshot(container(SPEC, labels={}))
    failure = refusal(WANTED, seen)
    assert failure is not None
    assert "adopt=qwen" in failure.remedy
    adopting = replace(WANTED, may_adopt=True)
    assert refusal(adopting, seen) is None
    assert actions(seen, adopting) == ["set aside", "create", "prove", "remove"]


def test_fault_33_nor_is_one_that_bears_the_name_for_what_is_set_aside() -> None:
    seen = snapshot(container(SPEC), container(SPEC, name=ASIDE, labels={}))
    failure = refusal(WANTED, seen)
    assert failure is not None
    assert ASIDE in failure.what


def test_fault_33_nor_is_a_volume_of_our_name_without_our_label() -> None:
    seen = snapshot(volumes={SPEC.volume: {}})
    failure = refusal(WANTED, seen)
    assert failure is not None
    assert failure.what == "volume ollama-qwen is not ours"
    assert "adopt=qwen" in failure.remedy
    assert refusal(replace(WANTED, may_adopt=True), seen) is None
    assert refusal(WANTED, snapshot(volumes={SPEC.volume: {STACK_LABEL: "ollama-"}})) is None


def test_every_step_tells_why() -> None:
    (first, *_) = plan_container(WANTED, snapshot(container(SPEC, memory=5)))
    assert "memory 5 bytes → unlimited" in first.why
    assert "edited by hand" in first.why


def test_what_is_no_longer_declared_is_told_and_removed_only_with_consent() -> None:
    old = container(replace(SPEC, name="ollama-old", service="old"))
    volumes = {"ollama-old": {STACK_LABEL: "ollama-"}, "mine": {}}
    seen = snapshot(old, volumes=volumes)
    steps, notes = plan_orphans("ollama-", {"qwen"}, seen, prune=False, purge=False)
    assert steps == []
    assert len(notes) == 2
    steps, _ = plan_orphans("ollama-", {"qwen"}, seen, prune=True, purge=True)
    assert [(s.action, s.subject) for s in steps] == [
        (Action.REMOVE, "ollama-old"),
        (Action.REMOVE_VOLUME, "ollama-old"),
    ]


def test_images_that_are_kept_go_with_purge_and_never_those_of_another_stack() -> None:
    tags = ("ollama-qwen-previous", "ollama-old-previous", "ollama-test-qwen-previous")
    kept = tuple(KeptImage(f"ollama/ollama:{tag}", "1", (DIGEST,), 5) for tag in tags)
    seen = snapshot(kept=kept)
    assert _purged(seen) == ["ollama/ollama:ollama-old-previous"]
    assert _purged(seen, purge=False) == []


def _purged(seen: Snapshot, *, purge: bool = True) -> list[str]:
    known, paths = {"qwen", "old"}, {"ollama/ollama"}
    steps, _ = plan_orphans(
        "ollama-", {"qwen"}, seen, prune=True, purge=purge, known=known, paths=paths
    )
    return [step.subject for step in steps if step.action is Action.REMOVE_IMAGE]


def test_attack_11_a_tag_of_somebody_else_is_not_ours_by_its_name() -> None:
    tags = [f"{NAME}-previous", f"{NAME}-next", f"{NAME}-replaced", "ollama-old-previous"]
    theirs = [KeptImage(f"backup/llm:{tag}", "9", ("sha256:9",), 5) for tag in tags]
    seen = snapshot(container(SPEC), kept=tuple(theirs))
    for previous in (None, "", DIGEST):
        assert tag_changes(SPEC, DIGEST, previous, "", seen) in (
            [],
            [TagChange(f":{NAME}-previous", IMAGE.id)],
        )
    assert actions(seen) == [] and _purged(seen) == []
    assert not is_interrupted(seen, NAME, QWEN, [])
    mirrored = KeptImage(f"mirror.lan:5000/ollama/ollama:{tags[1]}", "9", (), 5)
    changes = tag_changes(SPEC, DIGEST, None, "", replace(seen, kept=(*theirs, mirrored)))
    assert changes == [TagChange(mirrored.reference)]
    before = KeptImage(f"other/ollama:{tags[0]}", "9", (), 5)
    changes = tag_changes(SPEC, DIGEST, "", "other/ollama", replace(seen, kept=(*theirs, before)))
    assert changes == [TagChange(before.reference)]


NEW = ObservedImage("sha256:" + "2" * 64, (SPEC.image,), (OTHER_DIGEST,), IMAGE.environment)


def _moved_tag(ending: str, *containers: ObservedContainer, **images: ObservedImage) -> list[str]:
    """Return what is done about the declared tag where it is another image's than was proven, and
    one of the tags of an upgrade is there: the image that gets it, "" for none, no item for as it
    is."""
    reference = f"ollama/ollama:{NAME}{ending}"
    seen = snapshot(
        *containers,
        images={SPEC.image: NEW, NEW.id: NEW, **images},
        kept=(KeptImage(reference, NEW.id, (OTHER_DIGEST,), 5),),
    )
    *changes, last = tag_changes(SPEC, DIGEST, None, "", seen)
    assert last == TagChange(reference)
    assert {change.reference for change in changes} <= {SPEC.image}
    return [change.source for change in changes]


def test_the_declared_tag_comes_back_to_what_was_proven_where_an_upgrade_moved_it() -> None:
    assert _moved_tag("-next", before=IMAGE) == [IMAGE.id]
    assert _moved_tag("-replaced", container(SPEC), before=IMAGE) == [IMAGE.id]


def test_a_tag_that_an_upgrade_only_pulled_goes_where_nothing_uses_it() -> None:
    """What was proven is not here: the tag would stand for something that nobody proved."""
    assert _moved_tag("-next") == [""]
    assert _moved_tag("-next", container(SPEC)) == []
    assert _moved_tag("-replaced") == []


@pytest.mark.parametrize("labels", [{}, {STACK_LABEL: "ollama-old-x-"}])
def test_attack_11_images_whose_name_is_another_stacks_by_now_stay(labels: dict[str, str]) -> None:
    kept = (KeptImage("ollama/ollama:ollama-old-previous", "1", (DIGEST,), 5),)
    assert _purged(snapshot(kept=kept)) != []
    theirs = container(SPEC, name="ollama-old", labels=labels)
    assert _purged(snapshot(theirs, kept=kept)) == []
    assert _purged(snapshot(kept=kept, volumes={"ollama-old": labels})) == []
    foreign = (ForeignContainer("ollama-old", (), True),)
    assert _purged(snapshot(kept=kept, foreign=foreign)) == []


def test_attack_11_a_container_made_of_a_committed_image_is_not_a_second_one_of_ours() -> None:
    """docker commit ollama-qwen mine; docker run mine: it has all labels of ollama-qwen."""
    theirs = container(SPEC, name="mine", id="d", image="mine")
    assert actions(snapshot(container(SPEC), theirs)) == []
    assert actions(snapshot(theirs, volumes={})) == ["create volume", "create"]
    orphan = replace(theirs, labels={**theirs.labels, SERVICE_LABEL: "old"})
    assert plan_orphans(
        "ollama-", {"qwen"}, snapshot(orphan, volumes={}), prune=True, purge=True
    ) == (
        [],
        [],
    )


def test_attack_11_what_bears_the_name_for_what_is_set_aside_is_not_taken_over() -> None:
    theirs = container(SPEC, name=ASIDE, labels={})
    for seen in (snapshot(theirs), snapshot(container(SPEC, labels={}), theirs)):
        failure = refusal(replace(WANTED, may_adopt=True), seen)
        assert failure is not None and ASIDE in failure.what
        assert failure.remedy == f"rename it (docker rename {ASIDE} {ASIDE}-mine)"


def test_two_services_may_change_places() -> None:
    def steps(name: str, *wanted: Action) -> list[Step]:
        return [Step(action, name, str(action), "", name) for action in wanted]

    replaced = (Action.SET_ASIDE, Action.CREATE, Action.PROVE, Action.REMOVE)
    plans = {"a": steps("a", *replaced), "b": steps("b", *replaced)}
    ordered = order_by_ports(plans, {"a": 2, "b": 1}, {"a": {1}, "b": {2}})
    assert [(s.service, s.action) for s in ordered["a"][:3]] == [
        ("b", Action.SET_ASIDE),
        ("a", Action.SET_ASIDE),
        ("a", Action.CREATE),
    ]
    assert [s.action for s in ordered["b"]] == [Action.CREATE, Action.PROVE, Action.REMOVE]
    assert order_by_ports(plans, {"a": 1, "b": 2}, {"a": {1}, "b": {2}}) == plans


def test_an_image_that_several_services_need_is_pulled_once() -> None:
    pull = Step(Action.PULL_IMAGE, "i", "pull image i", "", "a")
    make = Step(Action.CREATE, "x", "create x", "", "b")
    other = replace(pull, text="pull image j", service="b")
    plans = {"a": [pull], "b": [replace(pull, service="b"), other, make]}
    assert without_repeated_pulls(plans) == {"a": [pull], "b": [other, make]}


# --- from every state: a model of the engine that takes the steps -------------------------------


@dataclass
class Engine:
    """A model of one host's engine: names of containers, and which of them was proven to work."""

    containers: dict[str, ObservedContainer]
    has_image: bool
    has_volume: bool
    working: set[str]

    def seen(self) -> Snapshot:
        images = {SPEC.image: IMAGE, IMAGE.id: IMAGE} if self.has_image else {IMAGE.id: IMAGE}
        return Snapshot(
            version="20.10.24",
            containers=tuple(self.containers.values()),
            images=images,
            volumes={SPEC.volume: {}} if self.has_volume else {},
        )

    def take(self, step: Step) -> None:
        getattr(self, step.action.name.lower())(step)

    def pull_image(self, step: Step) -> None:
        self.has_image = True

    tag_image = pull_image

    def create_volume(self, step: Step) -> None:
        self.has_volume = True

    def create(self, step: Step) -> None:
        assert NAME not in self.containers
        assert self.has_image
        assert self.has_volume
        assert not any(c.status == "running" for c in self.containers.values()), "port taken"
        self.containers[NAME] = container(SPEC, id="n" * 64)

    def set_aside(self, step: Step) -> None:
        assert ASIDE not in self.containers
        self._move(NAME, ASIDE, status="exited")

    def put_back(self, step: Step) -> None:
        self._move(ASIDE, NAME, status="running")

    def rename(self, step: Step) -> None:
        self._move(step.subject, NAME)

    def start(self, step: Step) -> None:
        self._change(NAME, status="running")

    def unpause(self, step: Step) -> None:
        self._change(NAME, status="running")

    def prove(self, step: Step) -> None:
        assert self.containers[NAME].status == "running"
        self.working.add(self.containers[NAME].id)

    def remove(self, step: Step) -> None:
        gone = self.containers.pop(step.subject)
        left = {c.id for c in self.containers.values()}
        assert gone.id not in self.working or left & self.working, "the last that worked is gone"

    def _move(self, old: str, new: str, **changes: Any) -> None:
        assert new not in self.containers
        self.containers[new] = replace(self.containers.pop(old), name=new, **changes)

    def _change(self, name: str, **changes: Any) -> None:
        self.containers[name] = replace(self.containers[name], **changes)


STATUSES = st.sampled_from(["running", "paused", "exited", "created", "dead"])
MEMORY = st.sampled_from([0, 5])


@st.composite
def engines(draw: st.DrawFn) -> Engine:
    """Any state that steps, interruptions and hands can leave; what worked before is drawn too."""
    containers = {}
    for number, name in enumerate([NAME, ASIDE, "foo"]):
        if draw(st.booleans()):
            status = "exited" if name == ASIDE else draw(STATUSES)
            changes = {"name": name, "status": status, "memory": draw(MEMORY), "id": str(number)}
            containers[name] = container(SPEC, **changes)
    running = [c for c in containers.values() if c.status == "running"]
    for extra in running[1:]:
        containers[extra.name] = replace(extra, status="exited")
    # While a replacement stands beside it, the one set aside is the one that is known to work.
    working = {containers[ASIDE].id} if ASIDE in containers else set()
    if not working and NAME in containers:
        working = {containers[NAME].id}
    return Engine(containers, draw(st.booleans()), bool(containers) or draw(st.booleans()), working)


@given(engines(), st.lists(st.integers(0, 6), max_size=4))
def test_from_every_state_and_after_any_interruption_the_declared_state_is_reached(
    engine: Engine, cuts: list[int]
) -> None:
    for cut in cuts:
        for step in plan_container(WANTED, engine.seen())[:cut]:
            engine.take(step)
    for step in plan_container(WANTED, engine.seen()):
        engine.take(step)
    (only,) = engine.containers.values()
    assert (only.name, only.status, only.memory) == (NAME, "running", 0)
    assert plan_container(WANTED, engine.seen()) == []
