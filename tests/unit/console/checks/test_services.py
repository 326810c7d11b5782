"""What the doctor says of services, from invented snapshots."""

from __future__ import annotations

from dataclasses import replace

from console.checks.services import leftover_checks, publication_checks, service_check
from console.looking.services import views
from tasks.containers.observed import STACK_LABEL
from tasks.containers.plan import Wanted, refusal
from tests.unit.tasks.samples import container, snapshot, spec, stack

PUBLIC = {"bind": "0.0.0.0", "allow_public": True}


def test_fault_33_a_foreign_container_of_our_name_is_told_with_the_consent_it_wants() -> None:
    declared = stack()
    there = snapshot(container(spec(declared), labels={}), volumes={})
    service = declared.services[0]
    view = views(declared, there, None)[0]
    found = service_check(view, refusal(Wanted(service, spec(declared)), there))
    assert not found.is_well
    assert "container ollama-qwen is not ours" in found.finding
    assert "--data adopt=qwen" in found.remedy


def test_fault_26_a_public_address_is_notable_where_it_is_declared() -> None:
    declared = stack(models={"qwen": PUBLIC})
    (found,) = publication_checks(declared, snapshot(container(spec(declared))))
    assert found.is_notable and "ufw" in found.finding and 'bind = "127.0.0.1"' in found.remedy


def test_fault_26_a_public_address_that_nobody_declared_is_not_well() -> None:
    public = container(spec(stack(models={"qwen": PUBLIC})))
    (found,) = publication_checks(stack(), snapshot(public))
    assert not found.is_well and "127.0.0.1 is declared" in found.finding


def test_what_is_published_on_loopback_or_stopped_says_nothing() -> None:
    loopback = container(spec(stack()))
    stopped = container(spec(stack(models={"qwen": PUBLIC})), status="exited")
    for there in (loopback, stopped):
        assert list(publication_checks(stack(), snapshot(there))) == []


def test_a_container_that_was_renamed_by_hand_is_named() -> None:
    moved = container(spec(stack()), name="ollama-mine")
    (found,) = leftover_checks(stack(), snapshot(moved, volumes={}))
    assert not found.is_well and "ollama-mine says that it is qwen" in found.finding
    aside = container(spec(stack()), name="ollama-qwen-previous")
    assert list(leftover_checks(stack(), snapshot(aside))) == []


def test_a_model_that_left_the_gpu_is_notable_and_not_well_where_that_is_required() -> None:
    view = replace(views(stack(), snapshot(container(spec(stack()))), None)[0], state="active")
    gone = replace(view, drift=(), left_gpu="m:1 is on the CPU now")
    assert service_check(gone).is_notable and "on the CPU now" in service_check(gone).finding
    required = service_check(replace(gone, gpu="required"))
    assert not required.is_well and required.remedy


def test_what_is_ours_and_not_declared_is_notable_with_its_way_out() -> None:
    old = container(spec(stack()), name="ollama-old", labels={STACK_LABEL: "ollama-"})
    told = {c.finding: c for c in leftover_checks(stack(), snapshot(old))}
    (of_container,) = [c for text, c in told.items() if text.startswith("container")]
    assert of_container.is_notable and "prune=true" in of_container.remedy
