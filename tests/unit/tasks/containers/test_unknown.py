"""What does not answer, or oddly, is neither there nor absent (attacks 3, 9 and 17)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.containers.observed import Snapshot
from tasks.containers.parse import kept_images, models_on_volume, parse
from tests.unit.tasks.containers.test_look import STACK, output, recorded
from tests.unit.tasks.said import enveloped

PARTS = recorded()
WHOLE = parse(STACK, output(PARTS))
ANSWER = re.compile(r"(?s)(.*?)\n?#(\d{3}) (\S+)\n")
Change = Callable[[str, str, str], str]


def changed(part: str, url: str, change: Change) -> dict[str, str]:
    """Return the parts with one answer changed."""
    found = [change(*m.groups()) if m[3] == url else m[0] for m in ANSWER.finditer(PARTS[part])]
    return {**PARTS, part: "".join(found)}


def failed(body: str, status: str, url: str) -> str:
    return f'{{"message": "too busy"}}\n#500 {url}\n'


def silent(body: str, status: str, url: str) -> str:
    return f"\n#000 {url}\n"


def left_out(body: str, status: str, url: str) -> str:
    return ""


def no_json(body: str, status: str, url: str) -> str:
    return f"<html>a filter</html>\n#200 {url}\n"


def half(body: str, status: str, url: str) -> str:
    return f"{body[: len(body) // 2]}\n#200 {url}\n"


def another_kind(body: str, status: str, url: str) -> str:
    return f'[1, "x", null]\n#200 {url}\n'


def huge(body: str, status: str, url: str) -> str:
    return f'{{"size": {10**400}}}\n#200 {url}\n'


CHANGES = [failed, silent, left_out, no_json, half, another_kind, huge]
URLS = [(part, m[3], m[2]) for part in PARTS for m in ANSWER.finditer(PARTS[part])]
ENGINE = [(url, status) for part, url, status in URLS if part == "engine"]


def owner(url: str) -> str:
    """Return the service that an answer of the engine is about, "" for all of them."""
    match = re.search(r"/containers/recorded-(\w+?)(-previous)?/json", url)
    return match[1] if match else ""


def test_the_recorded_host_is_known_whole() -> None:
    assert WHOLE.unknown == {}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("url", "status"), ENGINE)
def test_attack_3_each_answer_that_failed_leaves_its_part_unknown(
    url: str, status: str, change: Change
) -> None:
    seen = parse(STACK, output(changed("engine", url, change)))
    named = {"qwen", "deepseek", "mistral"} if "/images/" in url else {owner(url)}
    assert named <= {*seen.unknown} or "" in seen.unknown or url == kept_images(STACK)
    assert all(seen.unknown_of(name) for name in named) or url == kept_images(STACK)
    if "" not in seen.unknown and owner(url):
        # The others are known as before.
        assert {*seen.unknown} == {owner(url)}
        others = [s.name for s in STACK.services if s.name != owner(url)]
        assert all(seen.server(name) == WHOLE.server(name) for name in others)


@pytest.mark.parametrize("change", [failed, left_out, no_json, half, another_kind, huge])
@pytest.mark.parametrize("path", ["/api/tags", "/api/ps"])
def test_attack_3_a_server_that_does_not_tell_its_models_has_not_none(
    path: str, change: Change
) -> None:
    url = STACK.services[0].url + path
    seen = parse(STACK, output(changed("server.qwen", url, change)))
    assert "does not tell what it has" in seen.unknown["qwen"]
    assert {*seen.unknown} == {"qwen"}
    assert not seen.server("qwen").version


def test_attack_3_300_kb_and_an_invalid_byte_are_no_missing_model() -> None:
    url = STACK.services[0].url + "/api/tags"
    names = [{"name": f"m{n}:v1", "digest": f"{n:064x}", "size": n} for n in range(2500)]
    text = json.dumps({"models": names}).replace("m7:v1", "m\udcff7:v1")
    odd = f"{text}\n#200 {url}\n".encode(errors="surrogateescape")
    version = f'{{"version": "0.24.0"}}\n#200 {STACK.services[0].url}/api/version\n'
    loaded = f'{{"models": []}}\n#200 {STACK.services[0].url}/api/ps\n'

    lines = [enveloped(text, name) for name, text in PARTS.items() if name != "server.qwen"]
    lines.append(enveloped(version.encode() + odd + loaded.encode(), "server.qwen"))
    seen = parse(STACK, "\n".join(lines))
    assert len(seen.server("qwen").models) == 2500


def test_attack_3_a_container_that_is_listed_is_not_absent() -> None:
    """404 for a name that the list of all containers holds is a contradiction."""

    def gone(body: str, status: str, url: str) -> str:
        return f'{{"message": "No such container"}}\n#404 {url}\n'

    url = "http://docker/containers/recorded-qwen/json"
    seen = parse(STACK, output(changed("engine", url, gone)))
    assert "recorded-qwen" in seen.unknown["qwen"]


def test_a_container_shown_for_another_one_is_neither() -> None:
    other = next(m[1] for m in ANSWER.finditer(PARTS["engine"]) if "recorded-mistral/json" in m[3])

    def swapped(body: str, status: str, url: str) -> str:
        return f"{other}\n#200 {url}\n"

    url = "http://docker/containers/recorded-qwen/json"
    seen = parse(STACK, output(changed("engine", url, swapped)))
    assert "qwen" in seen.unknown


def test_a_list_of_manifests_that_is_not_whole_tells_nothing() -> None:
    line = f"{'a' * 64}  ./registry.ollama.ai/library/x/v1\n"
    assert models_on_volume(line) is None
    assert models_on_volume("") is None
    assert list(models_on_volume(f"{line}end\n") or ()) == ["x:v1"]
    assert models_on_volume("end\n") == {}


def test_a_server_that_is_silent_is_known_by_its_volume() -> None:
    url = STACK.services[0].url + "/api/version"
    parts = changed("server.qwen", url, silent)
    assert parse(STACK, output(parts)).models("qwen") is None
    manifest = f"{'b' * 64}  ./registry.ollama.ai/library/y/v1\nend\n"
    held = parse(STACK, output({**parts, "files.qwen": manifest})).models("qwen")
    assert held is not None and list(held) == ["y:v1"]


@given(st.lists(st.sampled_from([*PARTS]), max_size=3), st.binary(max_size=300), st.data())
def test_attack_9_nothing_that_a_host_says_ends_in_an_exception(
    names: list[str], junk: bytes, data: st.DataObject
) -> None:

    lines = []
    for name, text in PARTS.items():
        raw = text.encode()
        if name in names:
            at = data.draw(st.integers(0, len(raw)))
            raw = raw[:at] + junk + raw[at + data.draw(st.integers(0, 50)) :]
        lines.append(enveloped(raw, name))
    seen = parse(STACK, "\n".join(lines))
    assert isinstance(seen, Snapshot)
    # What is known is as it was, or unknown: no service lost its container.
    for service in STACK.services:
        container = seen.named(STACK.container_name(service))
        assert container is not None or seen.unknown_of(service.name)


def test_a_part_that_is_known_stays_known() -> None:
    seen = replace(WHOLE, unknown={"qwen": "why"})
    assert (seen.unknown_of("qwen"), seen.unknown_of("mistral")) == ("why", "")
    assert replace(WHOLE, unknown={"": "all"}).unknown_of("mistral") == "all"
