"""daemon.json: merged, refused, compared."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.declared.layers import Layer, defaults_layer
from tasks.declared.layers import merge as merge_layers
from tasks.declared.stack import Stack, declare
from tasks.docker_engine.daemon_json import (
    Refused,
    Wanted,
    is_loopback,
    knows_proxies,
    merge,
    parse,
    text_of,
    wanted,
    with_cdi,
    with_nvidia,
)

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
        ('\ufeff{"debug": true}', "byte order mark"),
        ('{"runtimes": {"nvidia": null}}', 'the runtime "nvidia" is null'),
        ('{"max-concurrent-downloads": NaN}', "NaN is no number"),
        ('{"shutdown-timeout": 1e999}', "1e999 is too large"),
        ('{"shutdown-timeout": ' + "1" * 5000 + "}", "a number of 5000 digits"),
        ('{"labels": ["\\ud800"]}', "half a character"),
    ],
)
def test_fault_8_what_is_refused(text: str, words: str) -> None:
    with pytest.raises(Refused) as caught:
        parse(text)
    assert words in str(caught.value)


def test_no_file_and_an_empty_one_are_no_settings() -> None:
    assert parse(None) == parse("") == parse(" \n") == {}


OURS = ("runtimes", "proxies", "insecure-registries", "live-restore")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
settings = st.dictionaries(
    st.text().filter(lambda k: k not in (*OURS, "features")),
    json_values,
)
WANT = Wanted("mirror.lan:5000", PASSWORD, PASSWORD, "localhost", live_restore=True)


@given(settings, st.booleans())
def test_a_merge_keeps_every_other_key_and_is_quiet_the_second_time(
    current: dict[str, Any], proxies: bool
) -> None:
    merged = with_nvidia(merge(current, WANT, proxies=proxies))
    assert {key: merged[key] for key in merged if key not in OURS} == current
    assert with_nvidia(merge(merged, WANT, proxies=proxies)) == merged
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


def test_fault_8_a_runtime_is_added_to_those_that_are_there() -> None:
    current = {"features": {"cdi": False}, "runtimes": {"crun": {"path": "/usr/bin/crun"}}, "z": 1}
    merged = with_nvidia(current)
    assert merged["runtimes"].pop("nvidia") == {"args": [], "path": "nvidia-container-runtime"}
    assert merged == current and list(merged) == list(current)


def test_a_runtime_of_that_name_stays_as_somebody_set_it_up() -> None:
    current = {"runtimes": {"nvidia": {"path": "/opt/nvidia", "runtimeArgs": ["--debug"]}}}
    assert with_nvidia(current) == current


def test_live_restore_is_only_ever_switched_on() -> None:
    assert merge({"live-restore": False}, Wanted(live_restore=True), proxies=False) == {
        "live-restore": True
    }
    assert merge({"live-restore": True}, Wanted(), proxies=False) == {"live-restore": True}
    assert wanted(stack(live_restore=True)).live_restore and not wanted(stack()).live_restore


def test_numbers_are_written_as_they_are() -> None:
    text = '{"large": 12345678901234567890, "small": -0.001}'
    assert '"large": 12345678901234567890' in text_of(parse(text))
    assert '"small": -0.001' in text_of(parse(text))


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


def test_cdi_is_switched_on_beside_foreign_features() -> None:
    before = {"features": {"buildkit": False}, "data-root": "/srv"}
    after = with_cdi(before)
    assert after == {"features": {"buildkit": False, "cdi": True}, "data-root": "/srv"}
    assert list(after) == list(before)
    assert with_cdi(after) == after
