"""One file, the user's and ours: what is written, what is kept, and what is put back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tasks.clients.entries import Entry
from tasks.clients.jsonc import JsoncDocument
from tasks.clients.kinds import aider, continue_, kilo, llm
from tasks.clients.merge import GONE, Format, MergeRecord, merge, undo
from tasks.clients.textdoc import Invalid
from tasks.clients.yamldoc import YamlDocument
from tests.unit.tasks.clients.samples import wiring

KILO = tuple(kilo.entries(wiring()))
CONTINUE = tuple(continue_.entries(wiring()))
MOVED = tuple(kilo.entries(wiring(models={"qwen": {"port": 21434}})))

SHAPES = {
    "nothing in it": b"",
    "an empty object": b"{}\n",
    "an empty object over two lines": b"{\n}\n",
    "comments alone": b"// mine\n/* and this */\n",
    "comments": b'{\n  // why\n  "theme": "dark", // behind\n  /* before */ "x": 1 // last\n}\n',
    "trailing commas": b'{\n  "theme": "dark",\n  "list": [1, 2,],\n}\n',
    "a foreign provider": (
        b'{\n  "provider": {\n    "mine": {"npm": "x", "options": {"apiKey": "{env:KEY}"}}\n  },\n'
        b'  "model": "mine/m",\n  "agent": {"code": {"prompt": "short"}}\n}\n'
    ),
    "four blanks": (
        b'{\n    "theme": "dark",\n    "agent": {\n        "code": {\n'
        b'            "x": 1\n        }\n    }\n}\n'
    ),
    "tabs": b'{\n\t"theme": "dark"\n}',
    "CRLF": b'{\r\n  "theme": "dark", // x\r\n  "agent": {}\r\n}\r\n',
    "a byte order mark": b'\xef\xbb\xbf{"theme": "dark"}',
    "one line": b'{"theme": "dark", "agent": {"code": {}}}',
    "a comment last": b'{\n  "theme": "dark"\n  // the end\n}\n',
}
YAML_SHAPES = {
    "nothing in it": b"",
    "comments alone": b"# mine\n",
    "a document's start": b"---\n",
    "a config of a person's": (
        b"# mine\nname: Mine\nversion: 0.0.1\nschema: v1\nmodels:\n  - name: Claude # good\n"
        b"    provider: anthropic\n    model: claude\n\n# rules\nrules:\n- short\n"
    ),
    "a list without indentation": b"name: x\nmodels:\n- name: a\n  roles: [chat]\n- name: b\n",
    "four blanks": b"models:\n    -   name: a\n        model: m\nname: x\n",
    "an empty list": b"name: x\nmodels: []\nlast: 1\n",
    "a list in brackets": b"models: [{name: a, model: b}]\nname: x\n",
    "a key without a value": b"models:\nname: x\n",
    "CRLF": b"name: x\r\nmodels:\r\n  - name: a\r\n",
    "a text over several lines": b"models:\n  - name: a\n    prompt: |\n      one\n\n      two\n",
    "a dash alone on its line": b"models:\n  -\n    name: a\n    x: 1\nlast: 1\n",
    "an anchor": b"base: &b\n  x: 1\nmodels:\n  - name: a\n    <<: *b\n",
}


def value_of(format_: Format, text: bytes) -> Any:
    return JsoncDocument(text).get(()) if format_ == "jsonc" else YamlDocument(text).value


def values(entries: tuple[Entry, ...], format_: Format, text: bytes) -> list[Any]:
    document = JsoncDocument(text) if format_ == "jsonc" else YamlDocument(text)
    return [document.get(entry.path) for entry in entries]


def without_nothing(value: Any) -> Any:
    """Leave out what holds nothing: a key without a value may come back as an empty list."""
    return {k: v for k, v in (value or {}).items() if v not in (None, {}, [])}


CASES: list[tuple[Format, bytes, tuple[Entry, ...]]] = [
    *(("jsonc", text, KILO) for text in SHAPES.values()),
    *(("yaml", text, CONTINUE) for text in YAML_SHAPES.values()),
]
NAMES = [*SHAPES, *(f"YAML: {name}" for name in YAML_SHAPES)]


@pytest.mark.parametrize(("format_", "before", "entries"), CASES, ids=NAMES)
def test_ours_comes_in_theirs_stays_and_all_is_put_back(
    format_: Format, before: bytes, entries: tuple[Entry, ...]
) -> None:
    made = merge(format_, before, entries, None)
    mine = [e for e in entries if e.path in made.record.values]
    assert values(tuple(mine), format_, made.text) == [e.value for e in mine]
    again = merge(format_, made.text, entries, made.record)
    assert (again.text, again.record, again.changes) == (made.text, made.record, {})
    assert undo(made.text, made.record) == before


@pytest.mark.parametrize(("format_", "before", "entries"), CASES, ids=NAMES)
def test_what_is_the_users_is_what_it_was_also_where_theirs_changed_since(
    format_: Format, before: bytes, entries: tuple[Entry, ...]
) -> None:
    made = merge(format_, before, entries, None)
    left = undo(made.text + b"\n", made.record)
    was = value_of(format_, before)
    now = value_of(format_, left or b"")
    assert without_nothing(now) == without_nothing(was)


@pytest.mark.parametrize("name", ["comments", "trailing commas", "a foreign provider", "CRLF"])
def test_taken_out_by_hand_of_the_editor_each_byte_is_where_it_was(name: str) -> None:
    before = SHAPES[name]
    made = merge("jsonc", before, KILO, None)
    assert undo(made.text + b" ", made.record) == before + b" "


def test_a_new_file_is_ours_and_goes_whole() -> None:
    made = merge("jsonc", None, KILO, None)
    assert made.record.original is None
    assert json.loads(made.text)["small_model"] == "ollama-qwen/qwen3:4b"
    assert undo(made.text, made.record) is None
    edited = made.text.replace(b"{\n", b'{\n  "theme": "dark",\n', 1)
    assert json.loads(undo(edited, made.record) or b"") == {"theme": "dark"}


def test_drift_of_ours_is_mended_and_told() -> None:
    made = merge("jsonc", SHAPES["comments"], KILO, None)
    edited = made.text.replace(b"11434/v1", b"9999/v1")
    mended = merge("jsonc", edited, KILO, made.record)
    assert mended.text == made.text
    assert mended.why == "was edited by hand: provider.ollama-qwen"


def test_a_changed_declaration_changes_that_alone() -> None:
    made = merge("jsonc", SHAPES["comments"], KILO, None)
    moved = merge("jsonc", made.text, MOVED, made.record)
    assert moved.why == "changed: provider.ollama-qwen"
    assert moved.text == made.text.replace(b"11434/v1", b"21434/v1")
    assert undo(moved.text, moved.record) == SHAPES["comments"]


def test_what_is_no_longer_wanted_goes() -> None:
    fewer = tuple(kilo.entries(wiring(models={"deepseek": {"active": False}})))
    made = merge("jsonc", b"{}", KILO, None)
    less = merge("jsonc", made.text, fewer, made.record)
    assert less.text == merge("jsonc", b"{}", fewer, None).text
    assert "provider.ollama-deepseek" in less.changes[GONE]


def test_a_persons_own_default_stays_and_is_no_news() -> None:
    before = b'{"agent": {"debug": {"model": "mine/m"}}}'
    made = merge("jsonc", before, KILO, None)
    found = json.loads(made.text)
    assert found["agent"]["debug"] == {"model": "mine/m"}
    assert found["agent"]["code"] == {"model": "ollama-qwen/qwen3:4b"}
    assert not made.kept


def test_whoever_chose_a_default_model_chose_it_for_all_agents() -> None:
    made = merge("jsonc", b'{"model": "mine/m"}', KILO, None)
    found = json.loads(made.text)
    assert (found["model"], found.get("small_model")) == ("mine/m", None)
    assert [*found["agent"]] == ["architect"], "which nobody has without us"
    assert len(found["provider"]) == 3


def test_a_provider_of_our_name_that_is_not_ours_stays_and_is_named() -> None:
    before = b'{"provider": {"ollama-qwen": {"name": "mine"}}}'
    made = merge("jsonc", before, KILO, None)
    assert made.kept == ["provider.ollama-qwen"]
    assert json.loads(made.text)["provider"]["ollama-qwen"] == {"name": "mine"}
    assert undo(made.text, made.record) == before


def test_where_something_else_stands_in_the_way_it_stays() -> None:
    made = merge("jsonc", b'{"provider": "none"}', KILO, None)
    assert "what stands in the way of provider.ollama-qwen" in made.kept
    assert json.loads(made.text)["provider"] == "none"
    assert "model" not in json.loads(made.text), "no default names a provider that is not there"


def test_a_default_that_a_person_changes_later_is_the_persons_from_then_on() -> None:
    made = merge("jsonc", SHAPES["comments"], KILO, None)
    chosen = made.text.replace(b'"model": "ollama-qwen/qwen3:4b"', b'"model": "mine/m"', 1)
    after = merge("jsonc", chosen, KILO, made.record)
    found = JsoncDocument(after.text).get(())
    assert found["model"] == "mine/m"
    assert [*found["agent"]] == ["architect"]
    assert merge("jsonc", after.text, KILO, after.record).changes == {}
    left = JsoncDocument(undo(after.text, after.record) or b"").get(())
    assert (left["model"], "provider" in left) == ("mine/m", False)


def test_what_is_ours_is_known_without_its_record_too() -> None:
    made = merge("jsonc", SHAPES["comments"], KILO, None)
    again = merge("jsonc", made.text, KILO, None)
    assert (again.text, again.changes) == (made.text, {})
    assert ("provider", "ollama-qwen") in again.record.values
    left = JsoncDocument(undo(again.text, again.record) or b"").get(())
    assert not left["provider"] and "model" not in left and left["theme"] == "dark"
    assert not any(left["agent"].values())


def test_a_record_survives_being_written_down() -> None:
    for format_, entries in (("jsonc", KILO), ("yaml", CONTINUE)):
        record = merge(format_, SHAPES["nothing in it"], entries, None).record  # type: ignore[arg-type]
        assert MergeRecord.of(json.loads(json.dumps(record.table()))) == record


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (b'{\n  "a": 1\n  "b": 2\n}', 3, "a comma is missing"),
        (b"{\n  \"a\": 'x'\n}", 2, "is no JSON value"),
        (b"{\n  a: 1\n}", 2, "double quotes"),
        (b'{\n  "a": 1,\n  "a": 2\n}', 3, "there twice"),
        (b'{\n  "a": 1', 1, "never closed"),
        (b'{"a": 1} x', 1, "something follows"),
        (b"[1]", 1, "no object in {braces}"),
        (b'{"a": "\xff"}', 1, "not UTF-8"),
        (b'{"a": NaN}', 1, "is no JSON value"),
        (b"{/* ", 1, "not closed"),
        (b"[" * 5000, 1, "nested deeper"),
    ],
)
def test_an_invalid_document_is_refused_with_its_line(text: bytes, line: int, reason: str) -> None:
    with pytest.raises(Invalid) as caught:
        merge("jsonc", text, KILO, None)
    assert caught.value.line == line
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"name: x\n  models: 1\n", 2),
        (b"name: x\nname: y\n", 2),
        (b"a: [1\nb: 2\n", 2),
        (b"just text\n", 1),
        (b"--- \na: 1\n---\nb: 2\n", 3),
        (b"a: \xff\n", 1),
        (b"a: !!python/object:x {}\n", 1),
        (b"\t- a\n", 1),
    ],
)
def test_invalid_yaml_is_refused_with_its_line(text: bytes, line: int) -> None:
    with pytest.raises(Invalid) as caught:
        merge("yaml", text, CONTINUE, None)
    assert caught.value.line == line


@pytest.mark.parametrize(
    "text",
    [
        b"models:\n  - &a\n    name: a\n  - *a\n",
        b"models:\n  -\n    name: a\n  - - deep\n",
        b"base: &b\n  - name: a\nmodels: *b\n",
    ],
)
def test_a_layout_in_which_theirs_would_be_touched_is_refused_or_met(text: bytes) -> None:
    was = YamlDocument(text).value
    try:
        made = merge("yaml", text, CONTINUE, None)
    except Invalid as error:
        assert "without touching what is yours" in error.reason
        return
    left = YamlDocument(undo(made.text + b"# mine\n", made.record) or b"").value
    assert without_nothing(left) == without_nothing(was)


def test_a_list_at_the_root_is_met_as_aider_and_llm_have_it() -> None:
    before = b"# mine\n- name: gpt\n  edit_format: diff\n"
    entries = tuple(aider.settings(wiring()))
    made = merge("yaml", before, entries, None)
    loaded = YAML(typ="safe").load(made.text)
    assert [item["name"] for item in loaded][:2] == ["gpt", "openai/qwen3:4b"]
    assert made.text.startswith(before)
    assert undo(made.text + b"# more\n", made.record) == before + b"# more\n"
    assert undo(merge("yaml", None, tuple(llm.entries(wiring())), None).text, made.record)


KEYS = st.text("abcxyz-", min_size=1, max_size=4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
BLANKS = st.sampled_from(["", " ", "\n", "\n  ", " // note\n", "/* x */", "\r\n\t"])


@st.composite
def jsonc_texts(draw: st.DrawFn) -> str:
    """Draw an object in JSONC, as oddly laid out as a person may."""

    def write(value: Any) -> str:
        before, after = draw(BLANKS), draw(BLANKS)
        if isinstance(value, dict | list) and value:
            pairs = value.items() if isinstance(value, dict) else ((None, v) for v in value)
            parts = [
                (f"{draw(BLANKS)}{json.dumps(k)}{draw(BLANKS)}:" if k is not None else "")
                + write(v)
                for k, v in pairs
            ]
            comma = draw(st.sampled_from(["", ","]))
            opening, closing = "{}" if isinstance(value, dict) else "[]"
            return f"{before}{opening}{','.join(parts)}{comma}{draw(BLANKS)}{closing}{after}"
        return f"{before}{json.dumps(value)}{after}"

    return write(draw(st.dictionaries(KEYS, JSON, max_size=4)))


@given(jsonc_texts())
def test_whatever_the_layout_theirs_stays_ours_comes_and_goes(text: str) -> None:
    before = text.encode()
    was = JsoncDocument(before).get(())
    made = merge("jsonc", before, KILO, None)
    assert merge("jsonc", made.text, KILO, made.record).changes == {}
    assert undo(made.text, made.record) == before
    left = undo(made.text + b" ", made.record)
    assert JsoncDocument(left or b"").get(()) == was


PLAIN = st.dictionaries(KEYS, JSON, max_size=4)


# A document of YAML takes long to read.
@settings(max_examples=settings().max_examples // 4)
@given(PLAIN, st.booleans(), st.integers(2, 4))
def test_whatever_yaml_a_person_wrote_theirs_stays(
    mine: dict[str, Any], is_flow: bool, step: int
) -> None:
    import io  # noqa: PLC0415

    writer = YAML()
    writer.default_flow_style = is_flow
    writer.indent(mapping=step, sequence=step + 2, offset=step)
    made_text = io.BytesIO()
    writer.dump(mine, made_text)
    before = made_text.getvalue()
    was = YamlDocument(before).value or {}
    made = merge("yaml", before, CONTINUE, None)
    assert merge("yaml", made.text, CONTINUE, made.record).changes == {}
    assert undo(made.text, made.record) == before
    left = undo(made.text + b"# mine\n", made.record)
    assert (YamlDocument(left or b"").value or {}) == was
