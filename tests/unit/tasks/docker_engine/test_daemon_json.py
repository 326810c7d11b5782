"""daemon.json: merged, refused, compared."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.docker_engine.daemon_json import (
    Refused,
    Wanted,
    is_loopback,
    knows_proxies,
    lost,
    merge,
    parse,
    text_of,
    wanted,
)
from tasks.layers import Layer, defaults_layer
from tasks.layers import merge as merge_layers
from tasks.stack import Stack, declare

PASSWORD = "http://ada:geheim@proxy.lan:3128"


def stack(**values: object) -> Stack:
    return declare(merge_layers([defaults_layer(), Layer("test", values)]))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{ bad", "not valid JSON"),
        ('{"a": 1}\n{"b": 2}', "more than one JSON value (line 2)"),
        ("[]", "not a JSON object"),
        ("null", "not a JSON object"),
        ('{"runtimes": null}', '"runtimes" is null'),
        ('{"features": []}', '"features" is a list'),
        ('{"proxies": "x"}', '"proxies" is a str'),
        ('{"insecure-registries": "x"}', "should be a list of texts"),
        ('{"insecure-registries": [1]}', "should be a list of texts"),
        ('{"debug": true, "debug": false}', 'the key "debug" twice'),
        ("[" * 100_000, "nested too deep"),
    ],
)
def test_what_is_refused(text: str, words: str) -> None:
    with pytest.raises(Refused) as caught:
        parse(text)
    assert words in str(caught.value)


def test_no_file_and_an_empty_one_are_no_settings() -> None:
    assert parse(None) == parse("") == parse(" \n") == {}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
settings = st.dictionaries(
    st.text().filter(lambda k: k not in ("runtimes", "features", "proxies", "insecure-registries")),
    json_values,
)
WANT = Wanted("mirror.lan:5000", PASSWORD, PASSWORD, "localhost")


@given(settings, st.booleans())
def test_a_merge_keeps_every_other_key_and_is_quiet_the_second_time(
    current: dict[str, Any], proxies: bool
) -> None:
    merged = merge(current, WANT, proxies=proxies)
    assert lost(current, merged) == []
    assert merge(merged, WANT, proxies=proxies) == merged
    assert parse(text_of(merged)) == merged
    assert list(merged)[: len(current)] == list(current)


def test_hand_set_registries_and_proxies_stay() -> None:
    current = {"insecure-registries": ["a:1"], "proxies": {"no-proxy": "x", "http-proxy": "old"}}
    merged = merge(current, Wanted("b:2", http_proxy="http://p"), proxies=True)
    assert merged["insecure-registries"] == ["a:1", "b:2"]
    assert merged["proxies"] == {"no-proxy": "x", "http-proxy": "http://p"}
    assert "proxies" not in merge({}, Wanted("b:2", http_proxy="http://p"), proxies=False)


@given(st.text())
def test_any_text_is_parsed_or_refused(text: str) -> None:
    with suppress(Refused):
        assert isinstance(parse(text), dict)


def test_lost_names_what_another_program_dropped() -> None:
    before = {"features": {"buildkit": True}, "labels": ["a", "b"], "debug": True}
    assert lost(before, {**before, "runtimes": {}}) == []
    assert lost(before, {"features": {}, "labels": ["b"], "debug": False}) == [
        "features.buildkit",
        "labels",
        "debug",
    ]


@pytest.mark.parametrize(
    ("registry", "expected"),
    [
        ("127.0.0.1:5000", True),
        ("127.8.8.8", True),
        ("[::1]:5000", True),
        ("localhost:5000", True),
        ("mirror.lan:5000", False),
        ("10.0.0.1:5000", False),
        ("", False),
    ],
)
def test_loopback(registry: str, expected: bool) -> None:
    assert is_loopback(registry) is expected


def test_wanted_hides_proxies_and_leaves_loopback_alone() -> None:
    want = wanted(stack(image_mirror="127.0.0.1:5000", image_mirror_insecure=True))
    assert want.insecure_registry == "" and not want.has_proxy
    want = wanted(
        stack(image_mirror="mirror.lan:5000", image_mirror_insecure=True, https_proxy=PASSWORD)
    )
    assert want.insecure_registry == "mirror.lan:5000" and want.has_proxy
    assert "geheim" not in repr(want) and "geheim" not in f"{want}"


@pytest.mark.parametrize(
    ("version", "expected"),
    [("20.10.24+dfsg1", False), ("23.0.0", True), ("v29.0.0-beta", True), ("", False)],
)
def test_which_engine_knows_proxies(version: str, expected: bool) -> None:
    assert knows_proxies(version) is expected
