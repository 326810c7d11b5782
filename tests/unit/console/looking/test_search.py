"""What registries offer, read from whatever they answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.looking.search import BY_HAND, models, names_in, strings_in, tags, tags_in
from tasks.registry.manifests import Asker, RegistryFault
from tasks.shell.local import Result
from tests.unit.tasks.said import enveloped
from tests.unit.tasks.samples import stack

PAGE = """
<a href="/library/qwen2.5-coder" class="x">Qwen</a> <a href="/library/mistral">Mistral</a>
<a href="/library/mistral">again</a> <a href="/blog/news">no model</a>
"""
TAGS = """
<a href="/library/mistral:7b">mistral:7b</a> <a href="/library/mistral:7b-instruct-q4_K_M">x</a>
<p>See also open-mistral:8x7b, and mistral: the best.</p>
"""
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
)


class Shell:
    """A registry behind curl: answers each script with a status and a body."""

    def __init__(self, status: int, body: str = "", error: str = "") -> None:
        self.status, self.body, self.error = status, body, error
        self.scripts: list[str] = []

    def sh(self, script: str, *, stdin: str | None = None, timeout: float | None = 60) -> Result:
        self.scripts.append(script)
        if not self.status:
            return Result(False, "", self.error)
        body = self.body.encode()
        raw = b"HTTP/1.1\r\n\r\n" + body + f"\n{self.status} {len(body)}".encode()
        return Result(True, enveloped(raw), "")


def asker(shell: Shell, **settings: Any) -> Asker:
    return Asker(stack(**settings), shell)  # type: ignore[arg-type]


def private(shell: Shell) -> Asker:
    """Ask a registry that somebody declared."""
    return asker(shell, model_registry="models.example:5000")


def test_names_and_tags_are_read_from_the_librarys_pages_once_each() -> None:
    assert names_in(PAGE) == ["mistral", "qwen2.5-coder"]
    assert tags_in(TAGS, "mistral") == ["mistral:7b", "mistral:7b-instruct-q4_K_M"]


def test_ollamas_library_is_asked_for_its_pages() -> None:
    shell = Shell(200, PAGE)
    assert models(asker(shell)) == ["mistral", "qwen2.5-coder"]
    assert "https://ollama.com/library" in shell.scripts[0]
    assert tags(asker(Shell(200, TAGS)), "mistral") == ["mistral:7b", "mistral:7b-instruct-q4_K_M"]


def test_a_declared_registry_is_asked_by_the_distributions_protocol() -> None:
    shell = Shell(200, json.dumps({"repositories": ["library/b", "somebody/a"]}))
    assert models(private(shell)) == ["b", "somebody/a"]
    assert "https://models.example:5000/v2/_catalog?n=" in shell.scripts[0]


@pytest.mark.parametrize(
    ("name", "path"), [("b", "library/b/tags/list"), ("somebody/a", "somebody/a/tags/list")]
)
def test_its_tags_are_those_of_the_models_repository(name: str, path: str) -> None:
    shell = Shell(200, '{"tags": ["7b", "latest"]}')
    assert tags(private(shell), name) == [f"{name}:7b", f"{name}:latest"]
    assert f"/v2/{path}" in shell.scripts[0]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_registry_that_lists_nothing_leaves_it_to_the_hand(status: int) -> None:
    for found in (models(private(Shell(status))), tags(asker(Shell(status)), "x")):
        assert isinstance(found, RegistryFault)
        assert "does not list what it offers" in found.cause
        assert found.remedy == BY_HAND


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"repositories": 5}', '{"repositories": null}'])
def test_a_list_that_is_none_leaves_it_to_the_hand_too(body: str) -> None:
    found = models(private(Shell(200, body)))
    assert isinstance(found, RegistryFault)
    assert (found.cause.endswith("lists nothing"), found.remedy) == (True, BY_HAND)


def test_a_silent_registry_is_named_with_the_reason() -> None:
    found = models(private(Shell(0, error="curl: (6) Could not resolve host")))
    assert isinstance(found, RegistryFault)
    assert found.is_unreachable
    assert "models.example:5000 does not answer ((6) Could not resolve host)" in found.cause


def test_only_strings_of_a_list_count() -> None:
    assert strings_in('{"tags": ["a", 1, null, "b"]}', "tags") == ["a", "b"]
    assert strings_in('{"tags": "abc"}', "tags") == []
    assert strings_in('{"tags": {"a": 1}}', "tags") == []
    assert strings_in("[" * 100_000, "tags") == []


@given(json_values.map(json.dumps) | st.text())
def test_no_body_raises(body: str) -> None:
    for text in (body, f'{{"tags": {body}}}'):
        assert all(isinstance(found, str) for found in strings_in(text, "tags"))


@given(st.text(), st.text(min_size=1))
def test_no_page_raises_and_every_tag_is_one_of_the_model(page: str, name: str) -> None:
    assert names_in(page) == sorted(set(names_in(page)))
    assert all(tag.startswith(f"{name}:") for tag in tags_in(f"{page} {name}:7b", name))
    assert f"{name}:7b" in tags_in(f" {name}:7b ", name)
