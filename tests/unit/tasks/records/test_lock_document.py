"""The text of stack.lock: versions, what is read of it, and that nothing in it is lost."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.records.lock_document import FORMAT, LockDocument, parsed, serialised
from tasks.records.proven import Proven, ServiceLock

OLD = Path(__file__).parent / "golden" / "version-0.lock"

WORD = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12)
SIZE = st.integers(0, 2**62)
# Nothing of these may be the name of a key that is known.
VALUE: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.booleans(), st.integers(-(2**62), 2**62), WORD, st.floats(allow_nan=False)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(WORD, inner, max_size=3),
    ),
    max_leaves=6,
)
UNKNOWN = st.dictionaries(WORD.map("new_{}".format), VALUE, max_size=3)
PROVEN = st.builds(
    Proven,
    WORD,
    WORD,
    WORD,
    st.sampled_from(["", "GPU", "CPU", "GPU 43 %"]),
    SIZE,
    st.floats(0, 1e6),
    st.lists(WORD, max_size=3).map(tuple),
    st.lists(WORD, max_size=3).map(tuple),
    SIZE,
    unknown=UNKNOWN,
)
WITH_PREVIOUS = st.builds(lambda new, old: new.after(old), PROVEN, st.one_of(st.none(), PROVEN))
SERVICE = st.builds(
    ServiceLock,
    st.one_of(st.none(), WITH_PREVIOUS),
    st.dictionaries(WORD, WITH_PREVIOUS, max_size=3),
    st.one_of(st.just(""), WORD),
    UNKNOWN,
)
LOCK = st.builds(LockDocument, st.dictionaries(st.tuples(WORD, WORD), SERVICE, max_size=4), UNKNOWN)


@given(LOCK)
def test_what_is_written_is_read_again(lock: LockDocument) -> None:
    assert parsed(serialised(lock)) == lock


@settings(max_examples=40)
@given(LOCK)
def test_a_lock_without_a_version_keeps_every_entry_when_it_is_migrated(lock: LockDocument) -> None:
    document = tomllib.loads(serialised(lock))
    del document["version"]
    assert FORMAT.version_of(document) == 0
    migrated = dict(FORMAT.migrated(document))
    assert migrated.pop("version") == 1
    assert migrated == document


def test_a_lock_of_before_the_versions_is_read_and_written_with_its_version_alone_added() -> None:
    old = OLD.read_text()
    lines = old.splitlines(keepends=True)
    assert serialised(parsed(old)) == "".join([lines[0], "version = 1\n", *lines[1:]])


def test_the_golden_lock_says_what_it_says() -> None:
    lock = parsed(OLD.read_text())
    assert set(lock.entries) == {("@local", "qwen"), ("gpu-1.example.org", "mistral")}
    qwen = lock.entries["@local", "qwen"]
    assert (qwen.main, set(qwen.models)) == ("qwen3:4b", {"qwen3:4b", "qwen2.5-coder:1.5b"})
    assert qwen.image_digest("ollama/ollama:0.24.0") == f"sha256:{'b' * 64}"
    assert qwen.previous_models == {"qwen3:4b": f"sha256:{'c' * 64}"}
    assert qwen.models["qwen3:4b"].abilities == ("completion", "tools", "thinking")
    assert (qwen.gpu_models, qwen.partial_models) == (
        {"qwen2.5-coder:1.5b"},
        {"qwen2.5-coder:1.5b", "qwen3:4b"},
    )


def test_an_empty_lock_has_a_version_as_well() -> None:
    assert tomllib.loads(serialised(LockDocument())) == {"version": 1, "hosts": {}}
    assert parsed("") == parsed("version = 1") == LockDocument()


ENTRY = '[hosts.h.s.models."m:1"]\nreference = "m:1"\ndigest = "sha256:a"\nat = "2026"\n'


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("version = -1", "version = -1 is no version"),
        ('version = "1"', "version = '1' is no version"),
        ("version = true", "is no version"),
        (ENTRY.replace('at = "2026"', ""), "at is missing"),
        (ENTRY.replace("digest", "digset"), "digest is missing"),
        (ENTRY + "processor = 1", "processor = 1 is no text"),
        (ENTRY + 'rate = "fast"', "rate = 'fast' is no number"),
        (ENTRY + "abilities = 5", "not iterable"),
        ("hosts = " + "[" * 10_000, "nested too deeply"),
    ],
)
def test_what_is_damaged_is_told(text: str, cause: str) -> None:
    with pytest.raises(ValueError, match=cause):
        parsed(text)
