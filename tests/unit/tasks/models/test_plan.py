"""The plan of a service's models."""

from __future__ import annotations

from typing import Any

from tasks.containers.observed import ServedModel
from tasks.declared.stack import Service
from tasks.models.plan import Copy, WantedModels, copies, outlived, plan_models, undeclared
from tests.unit.tasks.samples import DIGEST, OTHER_DIGEST, stack

QWEN = stack(models={"qwen": {"model": "a:1", "also": ["b:1"]}}).services[0]
A, B = ServedModel("a:1", DIGEST, 5), ServedModel("b:1", DIGEST, 5)
BOTH = {"a:1": A, "b:1": B}
PROVEN = {"a:1": DIGEST, "b:1": DIGEST}


CHANGES = ("container_changed", "container_proven")


def texts(held: Any = None, proven: Any = None, service: Service = QWEN, **more: Any) -> list[str]:
    changes = {name: more.pop(name, False) for name in CHANGES}
    digests = more.pop("digests", proven or {})
    wanted = WantedModels(service, digests, proven or {}, **more)
    return [step.text for step in plan_models(wanted, held, **changes)]


def test_everything_there_and_proven_means_no_step() -> None:
    assert texts(BOTH, PROVEN) == []


def test_a_missing_model_is_pulled_and_proven_alone() -> None:
    assert texts({"a:1": A}, PROVEN) == ["pull b:1", "prove b:1 by a generation"]


def test_another_digest_than_the_proven_one_is_restored() -> None:
    held = {**BOTH, "a:1": ServedModel("a:1", OTHER_DIGEST, 5)}
    assert texts(held, PROVEN) == ["restore a:1", "prove a:1 by a generation"]


def test_what_is_there_and_was_never_proven_is_proven_and_not_pulled() -> None:
    assert texts(BOTH, {"a:1": DIGEST}) == ["prove b:1 by a generation"]


def test_a_changed_container_has_to_prove_itself_once() -> None:
    assert texts(BOTH, PROVEN, container_changed=True) == ["prove a:1 by a generation"]
    assert texts(BOTH, PROVEN, container_changed=True, container_proven=True) == []
    assert texts(BOTH, {"b:1": DIGEST}, container_changed=True, container_proven=True) == []
    assert texts({}, {}, container_changed=True).count("prove a:1 by a generation") == 1


def test_where_the_gpu_is_required_a_proof_on_the_cpu_is_not_enough() -> None:
    required = QWEN.model_copy(update={"gpu": "required"})
    assert texts(BOTH, PROVEN, required) == ["prove a:1 by a generation"]
    assert texts(BOTH, PROVEN, required, gpu_proven={"a:1"}) == []
    assert texts({}, {}, required).count("prove a:1 by a generation") == 1


def test_what_nobody_looked_at_yet_is_proven_once_more_unless_its_container_was_just_now() -> None:
    both = ["prove a:1 by a generation", "prove b:1 by a generation"]
    assert texts(BOTH, PROVEN, unknown={"a:1", "b:1"}) == both
    assert texts(BOTH, PROVEN, unknown={"a:1", "b:1"}, container_proven=True) == both[1:]


def test_a_volume_that_nobody_can_read_yet_is_said_to_be_so() -> None:
    assert texts(None, PROVEN)[0] == "pull a:1 if it is not there"


def test_an_inactive_service_pulls_nothing() -> None:
    assert texts({}, {}, QWEN.model_copy(update={"active": False})) == []


def test_models_of_others_are_shown_and_kept_copies_are_ours() -> None:
    extra = {name: A for name in ("mine:1", "a:1-previous")}
    assert undeclared(QWEN, {**BOTH, **extra}) == ["mine:1"]


def test_an_upgrade_keeps_what_it_replaces_until_the_new_one_is_proven() -> None:
    goal = {**PROVEN, "a:1": OTHER_DIGEST}
    assert texts(BOTH, PROVEN, digests=goal, is_upgrade=True) == [
        "keep a:1 as a:1-replaced",
        "pull the new a:1",
        "prove a:1 by a generation",
    ]


def test_a_rollback_takes_the_copy_that_is_kept_and_pulls_nothing() -> None:
    held = {**BOTH, "a:1-previous": ServedModel("a:1-previous", OTHER_DIGEST, 5)}
    goal = {**PROVEN, "a:1": OTHER_DIGEST}
    assert texts(held, PROVEN, digests=goal, is_upgrade=True)[1] == "bring a:1 back"


def copy_steps(held: Any, previous: Any) -> list[Copy]:
    return list(copies(WantedModels(QWEN, PROVEN, PROVEN, previous), held))


def test_copies_that_are_as_they_should_be_need_no_step() -> None:
    held = {**BOTH, "a:1-previous": ServedModel("a:1-previous", OTHER_DIGEST, 5)}
    assert copy_steps(BOTH, {}) == []
    assert copy_steps(held, {"a:1": OTHER_DIGEST}) == []
    assert texts(held, PROVEN, previous={"a:1": OTHER_DIGEST}) == []


def test_what_an_upgrade_replaced_becomes_the_previous_one_and_the_one_before_goes() -> None:
    held = {
        **BOTH,
        "a:1-replaced": ServedModel("a:1-replaced", OTHER_DIGEST, 5),
        "a:1-previous": ServedModel("a:1-previous", "sha256:" + "c" * 64, 5),
    }
    assert copy_steps(held, {"a:1": OTHER_DIGEST}) == [
        Copy("a:1-previous"),
        Copy("a:1-previous", "a:1-replaced"),
        Copy("a:1-replaced"),
    ]
    assert copy_steps(held, {}) == [Copy("a:1-previous"), Copy("a:1-replaced")]


def test_copies_of_models_that_the_lock_does_not_know_are_left_alone() -> None:
    held = {"z:1-previous": ServedModel("z:1-previous", OTHER_DIGEST, 5)}
    assert copy_steps(held, {}) == []


def test_models_that_were_proven_and_are_declared_no_more_go_only_with_consent() -> None:
    proven = {**PROVEN, "old:1": DIGEST}
    held = {**BOTH, "old:1": A, "mine:1": A}
    assert outlived(WantedModels(QWEN, proven, proven), held) == ["old:1"]
    assert texts(held, proven) == []
    assert texts(held, proven, may_remove=True) == ["remove model old:1"]
