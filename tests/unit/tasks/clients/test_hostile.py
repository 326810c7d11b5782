"""Files of a user who means no good: each is refused by name, soon, and stops no other."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasks.clients import plan as planning
from tasks.clients.apply import apply
from tasks.clients.documents import documents
from tasks.clients.kinds import continue_, kilo
from tasks.clients.limits import LARGEST, LARGEST_RECORD, MOST_RECORDS, MOST_VALUES
from tasks.clients.look import LookFailed, ObservedFile, ObservedUser, look
from tasks.clients.merge import Format, MergeRecord, merge, undo
from tasks.clients.outcome import FileChange, Outcome
from tasks.clients.plan import plan_user
from tasks.clients.record import BrokenRecord, Record, digest
from tasks.clients.textdoc import Invalid
from tasks.clients.yamldoc import YamlDocument
from tasks.shell.local import LocalShell, Result
from tasks.words.failures import StepFailed
from tests.unit.tasks.clients.samples import file, user, wiring

KILO, CONTINUE = "@config/kilo/kilo.jsonc", "~/.continue/config.yaml"
ENTRIES = {
    "jsonc": tuple(kilo.entries(wiring())),
    "yaml": tuple(continue_.entries(wiring())),
}


def bomb(line: str, levels: int = 20) -> bytes:
    """Return lines each of which holds the one before it nine times."""
    aliases = [", ".join([f"*a{level}"] * 9) for level in range(levels)]
    lines = (f"a{n + 1}: &a{n + 1} {line.replace('@', aliases[n])}" for n in range(levels))
    return "\n".join(["a0: &a0 {x: 1}", *lines, ""]).encode()


CHAIN = "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 3000))
YAML_BOMBS = {
    "aliases": (bomb("[@]"), "more than 20000 values"),
    "merges": (bomb("{<<: [@]}"), "more than 20000 values"),
    "a list in itself": (b"a: &a [*a]\n", "leads back to it"),
    "a mapping in itself": (b"models: &a\n  - name: x\n    all: *a\n", "leads back to it"),
    "merged into itself": (b"a: &a\n  <<: *a\n", "leads back to it"),
    "brackets": (b"a: " + b"[" * 50_000, "nested deeper than 100"),
    "dashes": (b"- " * 50_000, "nested deeper than 100"),
    "aliases in each other": (b"a0: &a0 1\n" + CHAIN.encode(), "nested deeper than 100"),
    "values": (b"- a\n" * 120_000, "more than 20000 values"),
    "documents": (b"--- a\n" * 80_000, "but found another document"),
    "digits": (b"a: " + b"1" * 5000, "is no YAML"),
    "a tag's value": (b"a: !!bool maybe\n", "is no YAML"),
    "a tag's kind": (b"a: !!omap {x: 1}\n", "expected a sequence"),
    "no UTF-8": (b"a: \xed\xa0\x80", "is not UTF-8"),
}


@pytest.mark.parametrize(("text", "reason"), YAML_BOMBS.values(), ids=YAML_BOMBS)
def test_attack_16_yaml_that_is_a_bomb_is_refused_before_it_goes_off(
    text: bytes, reason: str
) -> None:
    with pytest.raises(Invalid) as caught:
        merge("yaml", text, ENTRIES["yaml"], None)
    assert reason in caught.value.reason


JSONC_BOMBS = {
    "brackets": (b'{"a":' + b"[" * 200_000, "nested deeper"),
    "values": (b'{"a":[' + b"1," * 250_000 + b"1]}", "more than 50000 values"),
    "digits": (b'{"a":' + b"1" * 5000 + b"}", "no JSON value"),
    "a comment without an end": (b"{/*" + b"*" * 500_000, "not closed"),
    "a text without an end": (b'{"a":"' + b"x" * 500_000, "not closed"),
    "a key": (b'{"' + b"x" * 200_000 + b'":1,"' + b"x" * 200_000 + b'":1}', "the key 'xxx"),
}


@pytest.mark.parametrize(("text", "reason"), JSONC_BOMBS.values(), ids=JSONC_BOMBS)
def test_attack_16_jsonc_that_is_a_bomb_is_refused_in_few_words(text: bytes, reason: str) -> None:
    with pytest.raises(Invalid) as caught:
        merge("jsonc", text, ENTRIES["jsonc"], None)
    assert reason in caught.value.reason and len(caught.value.reason) <= 200


KEYS = [f'"key{number}": "value"' for number in range(20_000)]
LARGE: dict[str, tuple[Format, bytes]] = {
    "keys on one line": ("jsonc", f"{{{','.join(KEYS)}}}".encode()),
    "keys on lines": ("jsonc", "{{\n{}\n}}\n".format(",\n".join(KEYS)).encode()),
    "comments": ("jsonc", b"{\n" + b"// x\n" * 100_000 + b"}\n"),
    "one text": ("jsonc", b'{"a": "' + b"\\n" * 250_000 + b'"}'),
    "YAML: comments": ("yaml", b"# x\n" * 60_000 + b"name: x\n"),
    "YAML: one text": ("yaml", b"name: x\nrules: |\n" + b"  xxxxxxx\n" * 20_000),
    "YAML: items": ("yaml", b"models:\n" + b"".join(b"- name: n%d\n" % n for n in range(2000))),
}


@pytest.mark.parametrize(("format_", "text"), LARGE.values(), ids=LARGE)
def test_attack_16_a_large_file_is_met_and_put_back(format_: Format, text: bytes) -> None:
    made = merge(format_, text, ENTRIES[format_], None)
    assert undo(made.text, made.record) == text
    assert merge(format_, made.text, ENTRIES[format_], made.record).changes == {}


def test_attack_16_a_record_of_a_thousand_values_is_no_thousand_readings() -> None:
    values = [[[f"key{number}"], 1] for number in range(MOST_VALUES)]
    told = {"format": "jsonc", "values": values, "parents": [], "original": None, "written": ""}
    with pytest.raises(Invalid) as caught:
        undo(LARGE["keys on one line"][1], MergeRecord.of(told))
    assert "too large for as many changes" in caught.value.reason


def test_attack_16_an_alias_within_reason_is_read_as_ever() -> None:
    text = b"base: &b {x: 1}\nmore: &m {<<: *b, y: [*b, *b]}\nmodels:\n  - {name: a, <<: *m}\n"
    found = YamlDocument(text).value
    assert found["models"] == [{"name": "a", "x": 1, "y": [{"x": 1}, {"x": 1}]}]


@pytest.mark.parametrize(
    ("format_", "text"),
    [
        ("yaml", b"apiKey: 1\napiKey: sk-secret\n"),
        ("jsonc", b'{"apiKey": sk-secret}'),
    ],
)
def test_attack_16_a_reason_holds_no_value_of_the_file(format_: Format, text: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        merge(format_, text, ENTRIES[format_], None)
    assert "secret" not in caught.value.reason


def record(**changes: Any) -> bytes:
    """Return a record with some fields changed."""
    told: dict[str, Any] = {
        "version": 1,
        "client": "kilo",
        "written": "0" * 64,
        "folders": [],
        "merged": None,
    }
    return b"/home/hector/x\n" + json.dumps({**told, **changes}).encode()


def merged(**changes: Any) -> bytes:
    """Return a record of a merge with some fields changed."""
    told = {"format": "jsonc", "values": [], "parents": [], "original": None, "written": ""}
    return record(merged={**told, **changes})


RECORDS = {
    "empty": b"",
    "no JSON": b"/x\nnone",
    "a list": b"/x\n[]",
    "deep": b"/x\n" + b"[" * 100_000,
    "digits": b'/x\n{"version": ' + b"1" * 5000 + b"}",
    "no UTF-8 in its path": b"/\xff\n" + record().partition(b"\n")[2],
    "an escape in its path": b"/\x1b[2J\n" + record().partition(b"\n")[2],
    "no path": b"x\n" + record().partition(b"\n")[2],
    "of another version": record(version="1"),
    "too large": b"/x\n" + b" " * (LARGEST_RECORD + 1),
    "a client that is none": record(client=["kilo"]),
    "a digest that is none": record(written="'; reboot; '"),
    "folders that are none": record(folders="/"),
    "folders of others": record(folders=["/home/eve"]),
    "a merge that is none": record(merged=[1]),
    "another format": merged(format="toml"),
    "values that are none": merged(values={"a": 1}),
    "a value without a path": merged(values=[1]),
    "an empty path": merged(values=[[[], 1]]),
    "a path of numbers": merged(values=[[[1], 1]]),
    "a path of lists": merged(values=[[[[]], 1]]),
    "a step with two keys": merged(values=[[[{"a": "b", "c": "d"}], 1]]),
    "a step without a text": merged(values=[[[{"a": []}], 1]]),
    "a long path": merged(values=[[["a"] * 1000, 1]]),
    "many values": merged(values=[[["a"], 1]] * (MOST_VALUES + 1)),
    "parents that are none": merged(parents=["a"]),
    "an original that is none": merged(original=5),
    "an original that is no base64": merged(original="é"),
}


@pytest.mark.parametrize("data", RECORDS.values(), ids=RECORDS)
def test_attack_16_a_record_is_a_users_to_write_and_stops_that_file_alone(data: bytes) -> None:
    seen = user({KILO: b"{}"}, records={"kilo": data, "old": data})
    outcome = plan_user(seen, documents(wiring(), ["kilo", "llm"], seen, is_remote=False))
    assert [change.client for change in outcome.changes] == ["llm"]
    assert len(outcome.failures) == 2
    for failure in outcome.failures:
        assert "hector" in failure.what and ".record: it is" in failure.cause
    with pytest.raises(BrokenRecord):
        known = Record.of(data)
        MergeRecord.of(known.merged or {})


def test_attack_16_a_record_of_a_place_that_is_not_ours_changes_nothing_there() -> None:
    there = file("/home/hector/../eve/x", b"hers")
    data = b"/home/hector/../eve/x\n" + record(written=digest(b"hers")).partition(b"\n")[2]
    seen = user({there.path: b"hers"}, records={"shell-old": data})
    outcome = plan_user(seen, ())
    assert outcome.changes == []
    assert "is no place of ours" in outcome.failures[0].cause


@pytest.mark.parametrize("path", ["/etc/shadow", "/home/eve/x; reboot"])
def test_attack_16_no_remedy_gives_away_what_a_link_or_a_record_leads_to(path: str) -> None:
    data = f"{path}\n".encode() + record().partition(b"\n")[2]
    foreign = replace(file(path, b""), uid=0, owner="root", content=None)
    linked = replace(foreign, path="/home/hector/.config/kilo/kilo.jsonc")
    seen = replace(user(records={"old": data}), files={KILO: linked, path: foreign})
    outcome = plan_user(seen, documents(wiring(), ["kilo"], seen, is_remote=False))
    assert outcome.changes == []
    assert [failure.remedy[:20] for failure in outcome.failures] == ["it is outside of the"] * 2
    mine = replace(linked, real="/home/hector/a b")
    (failure,) = plan_user(
        replace(seen, records={}, files={KILO: mine}),
        documents(wiring(), ["kilo"], seen, is_remote=False),
    ).failures
    assert failure.remedy == "sudo chown hector: '/home/hector/a b'"


ODD = [RecursionError(), KeyError("x"), UnicodeError("no"), RuntimeError("\x1b[2J" * 1000)]


@pytest.mark.parametrize("error", ODD, ids=lambda error: type(error).__name__)
def test_attack_16_what_nobody_foresaw_of_one_file_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def odd(format_: str, *rest: Any) -> Any:
        if format_ == "jsonc":
            raise error
        return merge(format_, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(planning, "merge", odd)
    seen = user({KILO: b"{}", CONTINUE: b"name: x\n"})
    made = documents(wiring(), ["kilo", "continue"], seen, is_remote=False)
    outcome = plan_user(seen, made)
    assert [change.client for change in outcome.changes] == ["continue"]
    (failure,) = outcome.failures
    assert failure.what == "connect kilo of hector: ~/.config/kilo/kilo.jsonc: left alone"
    assert type(error).__name__ in failure.cause and "\x1b" not in failure.cause
    assert "nothing of it was changed" in failure.remedy


def test_attack_16_nothing_is_planned_of_a_file_that_cannot_be_planned_as_a_whole() -> None:
    old = "/home/hector/.config/kilo/kilo.json"
    (first,) = plan_user(user(), made_kilo(user())).changes
    assert first.record is not None and first.after is not None
    moved = replace(first.record, path=old)
    seen = user({KILO: b"[broken"}, records={"kilo": moved.to_bytes()})
    seen = replace(seen, files={**seen.files, old: file(old, first.after)})
    outcome = plan_user(seen, made_kilo(seen))
    assert (outcome.changes, len(outcome.failures)) == ([], 1)


def made_kilo(seen: ObservedUser) -> Any:
    return documents(wiring(), ["kilo"], seen, is_remote=False)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".config/kilo").mkdir(parents=True)
    (tmp_path / ".local/state/ollama-stack/ollama-").mkdir(parents=True)
    return tmp_path


def looked(*places: str) -> ObservedUser:
    found = look(LocalShell(), {}, [KILO, *places], "ollama-")
    assert found is not None
    return found


def records_of(home: Path) -> Path:
    return home / ".local/state/ollama-stack/ollama-"


def test_attack_16_pipes_and_devices_are_refused_without_being_opened(home: Path) -> None:
    os.mkfifo(home / ".config/kilo/kilo.jsonc")
    os.mkfifo(records_of(home) / "kilo.record")
    (home / "zero").symlink_to("/dev/zero")
    (records_of(home) / "zero.record").symlink_to("/dev/zero")
    found = looked("~/zero")
    assert [found.files[place].kind for place in (KILO, "~/zero")] == ["other", "other"]
    assert found.records == {}
    (failure,) = plan_user(found, made_kilo(found)).failures
    assert "is no ordinary file" in failure.cause


def test_attack_16_a_huge_record_is_not_read_whole(home: Path) -> None:
    with (records_of(home) / "kilo.record").open("wb") as huge:
        huge.truncate(1024**4)
    found = looked()
    assert len(found.records["kilo"]) == LARGEST_RECORD + 1
    (failure,) = plan_user(found, ()).failures
    assert "it is larger than 2 MiB" in failure.cause


def test_attack_16_files_have_a_limit_together(home: Path) -> None:
    places = [f"~/{number}" for number in range(40)]
    for place in places:
        (home / place[2:]).write_bytes(b"x" * LARGEST)
    found = looked(*places)
    read = [found.files[place].content is not None for place in places]
    assert 0 < sum(read) < 40 and read == sorted(read, reverse=True)
    assert "together have more than 16 MiB" in found.files[places[-1]].unread


def test_attack_16_more_records_than_we_write_change_nothing_of_that_user(home: Path) -> None:
    for number in range(MOST_RECORDS + 1):
        (records_of(home) / f"{number}.record").write_bytes(b"")
    found = looked()
    assert found.is_crowded
    outcome = plan_user(found, made_kilo(found))
    assert outcome.changes == [] and "more than 200 records" in outcome.failures[0].cause


def test_attack_16_a_record_of_another_name_is_none_of_ours(home: Path) -> None:
    (records_of(home) / "a\n##record b.record").write_bytes(record())
    (records_of(home) / "\x1b[2J.record").write_bytes(record())
    (home / "a\x85b").mkdir()
    assert looked().records == {}


def test_attack_16_a_file_that_cannot_be_read_whole_is_not_an_empty_one() -> None:
    told = {"path": "/x", "kind": "file", "size": "5", "data": ""}
    found = ObservedFile.from_values(told)
    assert found.content is None and "cannot be read whole" in found.unread
    cut = base64.b64encode(b"12345").decode()[:-3]
    assert ObservedFile.from_values({**told, "data": cut}).content is None


def test_attack_16_odd_numbers_of_the_look_are_none() -> None:
    told = {"path": "/a/b", "kind": "absent", "mode": "9" * 50, "missing": "9" * 18}
    found = ObservedFile.from_values(told)
    assert (found.mode, found.missing_folders) == (0o600, ("/a",))


@pytest.mark.parametrize("said", ["", "##user\nname=eve\nhome=/home/eve\n##found\n"])
def test_attack_16_a_look_that_is_cut_off_is_no_empty_home(said: str) -> None:
    class Silent:
        def sh(self, *_: Any, **__: Any) -> Result:
            return Result(False, said, "no answer within 60 s")

    with pytest.raises(LookFailed) as caught:
        look(Silent(), {}, [], "ollama-")
    assert "no answer within 60 s" in str(caught.value)


def test_attack_16_a_pipe_that_came_meanwhile_is_not_opened(tmp_path: Path) -> None:
    seen = ObservedUser("me", os.getuid(), str(tmp_path), f"{tmp_path}/c", f"{tmp_path}/s")
    path = tmp_path / "kilo.jsonc"
    os.mkfifo(path)
    change = FileChange(
        "kilo", "kilo", str(path), "~/kilo.jsonc", digest(b""), b"x", 0o600,
        Record(str(path), "kilo", digest(b"x")), "new",
    )  # fmt: skip
    with pytest.raises(StepFailed) as caught:
        apply(LocalShell(), seen, "ollama-", change)
    assert "changed meanwhile" in caught.value.cause


def test_attack_16_what_failed_of_one_file_takes_nothing_from_an_outcome() -> None:
    whole, part = Outcome(notes=["a"]), Outcome(notes=["b"])
    whole.take(part)
    assert whole.notes == ["a", "b"]
