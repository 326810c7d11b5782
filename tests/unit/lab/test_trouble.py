"""Faults as texts of nginx's configuration."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.nginx import Layout, Trouble, render
from lab.state import ActiveFault
from lab.trouble import KINDS, check, trouble

DIGEST = f"sha256:{'a1' * 32}"
BLOB = f"/docker/registry/v2/blobs/sha256/a1/{'a1' * 32}/data"
OTHER_BLOB = f"/docker/registry/v2/blobs/sha256/b2/{'b2' * 32}/data"


def made(layout: Layout, name: str, **options: str | int | bool) -> Trouble:
    fault = ActiveFault.model_validate({"name": name, **options})
    check(fault)
    return trouble(fault, layout, [DIGEST], Path("/faults"))


def pattern(text: str) -> str:
    found = re.search(r'location ~ "([^"]+)"', text)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("name", KINDS)
def test_every_fault_changes_the_configuration(layout: Layout, name: str) -> None:
    text = render(layout, made(layout, name), 1)
    assert text != render(layout, Trouble(), 1)
    assert text.count("{") == text.count("}")


@pytest.mark.parametrize("name", KINDS)
def test_a_fault_stays_with_its_target(layout: Layout, name: str) -> None:
    found = made(layout, name)
    for target in {"images", "models", "blobs"} - {KINDS[name].target}:
        assert getattr(found, target) == ""
        assert target not in found.down


@pytest.mark.parametrize("status", [401, 404, 412, 429, 500])
def test_a_status_is_what_is_answered(layout: Layout, status: int) -> None:
    assert f"return {status} " in made(layout, f"models-{status}").models


def test_a_login_is_asked_for_with_a_challenge(layout: Layout) -> None:
    assert "WWW-Authenticate" in made(layout, "images-401").images


@pytest.mark.parametrize(
    ("only", "path", "is_met"),
    [
        ("", "/v2/library/tiny-qwen/manifests/v1", True),
        ("", "/v2/library/tiny-qwen/blobs/sha256:ab", True),
        ("tiny-qwen", "/v2/library/tiny-qwen/manifests/v2", True),
        ("tiny-qwen", "/v2/library/tiny-mistral/manifests/v1", False),
        ("tiny-qwen", "/v2/library/tiny-qwen-two/manifests/v1", False),
        ("tiny-qwen:v1", "/v2/library/tiny-qwen/manifests/v1", True),
        ("tiny-qwen:v1", "/v2/library/tiny-qwen/manifests/v2", False),
        ("tiny-qwen:v1", "/v2/library/tiny-qwen/manifests/v10", False),
    ],
)
def test_only_narrows_a_fault_to_a_model(
    layout: Layout, only: str, path: str, is_met: bool
) -> None:
    found = made(layout, "models-429", only=only)
    assert bool(re.search(pattern(found.models), path)) is is_met


def test_only_narrows_a_fault_to_an_image_tag(layout: Layout) -> None:
    found = pattern(made(layout, "images-500", only="0.17.4").images)
    assert re.search(found, "/v2/ollama/ollama/manifests/0.17.4")
    assert not re.search(found, "/v2/ollama/ollama/manifests/0.24.0")
    assert not re.search(found, "/v2/ollama/ollama/manifests/0x17x4")


@pytest.mark.parametrize("name", ["blobs-slow", "blobs-cut", "blobs-stalled", "blobs-flipped"])
def test_a_fault_of_blobs_meets_the_named_blobs_only(layout: Layout, name: str) -> None:
    found = pattern(made(layout, name).blobs)
    assert re.search(found, BLOB)
    assert not re.search(found, OTHER_BLOB)


def test_rate_and_bytes_are_taken_over(layout: Layout) -> None:
    assert "limit_rate 200k;" in made(layout, "blobs-slow", rate="200k").blobs
    assert "limit_rate_after 4096;" in made(layout, "blobs-cut", after=4096).behind


def test_once_lets_later_requests_pass(layout: Layout) -> None:
    assert "error_page 503 = @good" in made(layout, "models-500", once=True).models
    assert "@good" not in made(layout, "models-500").models


@pytest.mark.parametrize(
    "fault",
    [
        ActiveFault(name="models-418"),
        ActiveFault(name="blobs-slow", rate="fast"),
        ActiveFault(name="blobs-slow", rate="1k; }"),
        ActiveFault(name="blobs-cut", after=-1),
        ActiveFault(name="models-404", only='x" {'),
    ],
)
def test_nonsense_is_refused(fault: ActiveFault) -> None:
    with pytest.raises(LabError):
        check(fault)
