"""The configuration of the nginx in front of the registries."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from lab.nginx import INNER, OLD_OLLAMA, Layout, Trouble, render


def test_it_listens_behind_the_forwarder_only(layout: Layout) -> None:
    places = set(re.findall(r"listen ([\d.]+:\d+);", render(layout, Trouble(), 1)))
    assert {f"{INNER}:15000", f"{INNER}:15001", f"{INNER}:15002"} <= places
    assert not [place for place in places if place.startswith("172.")]


def test_the_control_port_answers_with_the_generation(layout: Layout) -> None:
    assert 'return 200 "41";' in render(layout, Trouble(), 41)


@pytest.mark.parametrize("target", ["images", "models"])
def test_a_server_that_is_down_has_no_port(layout: Layout, target: str) -> None:
    port = {"images": 15000, "models": 15001}[target]
    text = render(layout, Trouble(down=frozenset([target])), 1)
    assert not re.search(rf"listen .*:{port};", text)


def test_each_generation_counts_its_first_requests_anew(layout: Layout) -> None:
    text = render(layout, Trouble(models="limit_req zone=once; "), 7)
    assert "zone=once7:1m" in text
    assert "limit_req zone=once7;" in text


def test_only_root_names_the_workers_user(layout: Layout) -> None:
    assert "user root;" not in render(layout, Trouble(), 1)
    assert "user root;" in render(replace(layout, is_root=True), Trouble(), 1)


def test_braces_are_balanced(layout: Layout) -> None:
    text = render(layout, Trouble(), 1)
    assert text.count("{") == text.count("}")


@pytest.mark.parametrize(
    ("agent", "is_old"),
    [
        ("ollama/0.17.4 (amd64 linux) Go/go1.26.0", True),
        ("ollama/0.9.0 (amd64 linux) Go/go1.24.0", True),
        ("ollama/0.24.0 (amd64 linux) Go/go1.26.0", False),
        ("ollama/0.117.0 (amd64 linux)", False),
        ("curl/8.0", False),
    ],
)
def test_the_new_model_is_refused_to_older_servers_only(agent: str, is_old: bool) -> None:
    assert bool(re.search(OLD_OLLAMA.removeprefix("~"), agent)) is is_old
