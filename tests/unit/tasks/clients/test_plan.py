"""What is planned for the files of a user: the ten shapes, records, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tasks.clients.documents import Merged, Owned, documents, managed, meant, wanted
from tasks.clients.look import ObservedFile, ObservedUser
from tasks.clients.outcome import FileChange
from tasks.clients.plan import plan_user, settled
from tasks.clients.record import Record, digest
from tasks.containers.observed import ForeignContainer, Snapshot
from tests.unit.tasks.clients.samples import declared, file, user, wiring

KILO, OTHER_KILO = "@config/kilo/kilo.jsonc", "@config/kilo/kilo.json"
PATH = "/home/hector/.config/kilo/kilo.jsonc"
MINE = b'{\n  // mine\n  "theme": "dark"\n}\n'


def made(*clients: str, seen: ObservedUser | None = None, **settings: Any) -> list[Merged | Owned]:
    found = documents(wiring(**settings), clients, seen or user(), is_remote=False)
    return list(found)


def after(change: FileChange, seen: ObservedUser) -> ObservedUser:
    """Return the user once a change was made."""
    records = {n: d for n, d in seen.records.items() if n != change.name}
    if change.record is not None:
        records[change.name] = change.record.to_bytes()
    place = next((p for p, f in seen.files.items() if f.real == change.path), change.path)
    place = KILO if change.path == PATH else place
    there = ObservedFile(change.path, change.path)
    if change.after is not None:
        there = file(change.path, change.after, mode=change.mode)
    return replace(seen, records=records, files={**seen.files, place: there, change.path: there})


def connected(seen: ObservedUser) -> tuple[ObservedUser, FileChange]:
    (change,) = plan_user(seen, made("kilo")).changes
    return after(change, seen), change


def test_a_new_file_is_the_users_alone_and_its_folders_are_remembered() -> None:
    absent = ObservedFile(PATH, PATH, missing=1)
    (change,) = plan_user(user(files={}), made("kilo")).changes
    assert (change.mode, change.before, change.backs_up, change.why) == (0o600, "", False, "new")
    seen = replace(user(), files={KILO: absent})
    (change,) = plan_user(seen, made("kilo")).changes
    assert change.folders == ("/home/hector/.config/kilo",)
    assert change.record is not None and change.record.folders == change.folders


def test_a_file_that_is_there_keeps_its_mode_and_is_backed_up_once() -> None:
    seen, change = connected(user({KILO: MINE}))
    assert (change.mode, change.before, change.backs_up) == (0o644, digest(MINE), True)
    moved = made("kilo", models={"qwen": {"port": 21434}})
    (second,) = plan_user(seen, moved).changes
    assert not second.backs_up
    assert second.why == "changed: provider.ollama-qwen"


def test_a_second_plan_changes_nothing() -> None:
    seen, _ = connected(user({KILO: MINE}))
    outcome = plan_user(seen, made("kilo"))
    assert (outcome.changes, outcome.failures, outcome.notes) == ([], [], [])


def test_what_is_not_wanted_any_more_is_put_back() -> None:
    seen, _ = connected(user({KILO: MINE}))
    (change,) = plan_user(seen, ()).changes
    assert (change.after, change.record) == (MINE, None)
    gone = after(change, seen)
    assert gone.records == {}
    assert plan_user(gone, ()).changes == []


def test_a_file_that_was_ours_alone_goes() -> None:
    seen, _ = connected(user())
    (change,) = plan_user(seen, ()).changes
    assert change.after is None


def test_drift_of_ours_is_told_and_mended() -> None:
    seen, change = connected(user({KILO: MINE}))
    assert change.after is not None
    edited = change.after.replace(b'"tool_call": true', b'"tool_call": false', 1)
    seen = replace(seen, files={KILO: file(PATH, edited)})
    (mended,) = plan_user(seen, made("kilo")).changes
    assert (mended.after, mended.why) == (change.after, "was edited by hand: provider.ollama-qwen")


def test_where_there_are_two_files_the_stronger_one_is_edited() -> None:
    other = {OTHER_KILO: b"{}"}
    (change,) = plan_user(user(other), made("kilo")).changes
    assert change.path == "/home/hector/.config/kilo/kilo.json"
    (change,) = plan_user(user({**other, KILO: MINE}), made("kilo")).changes
    assert change.path == PATH


def test_ours_moves_to_a_stronger_file_that_came_later() -> None:
    first = user({OTHER_KILO: b'{"x": 1}'})
    (change,) = plan_user(first, made("kilo")).changes
    assert change.after is not None and change.record is not None
    old = change.path
    seen = replace(
        user({KILO: MINE}),
        records={"kilo": change.record.to_bytes()},
        files={
            KILO: file(PATH, MINE),
            OTHER_KILO: file(old, change.after),
            old: file(old, change.after),
        },
    )
    back, new = plan_user(seen, made("kilo")).changes
    assert (back.path, back.after) == (old, b'{"x": 1}')
    assert new.path == PATH and new.record is not None


@pytest.mark.parametrize(
    ("there", "cause", "remedy"),
    [
        (
            {"content": b'{\n  "a": 1\n  "b": 2\n}'},
            "~/.config/kilo/kilo.jsonc, line 3: a comma is missing before this",
            "mend it there",
        ),
        ({"kind": "folder", "content": None}, "is a folder", "move it away"),
        ({"kind": "dangling", "content": None, "real": "/x"}, "is a link to /x", "mend or remove"),
        ({"content": None, "size": 2**21}, "is larger than 512 KiB", "make it smaller"),
        ({"content": None}, "hector may not read", "chmod u+rw"),
        ({"uid": 0, "owner": "root"}, "belongs to root", "sudo chown hector:"),
        ({"mode": 0o444}, "is read-only", "chmod u+rw"),
        ({"is_writable": False}, "is read-only", "chmod u+rw"),
        ({"is_replaceable": False}, "may not write into /home/hector/.config/kilo", "sudo chown"),
    ],
)
def test_a_file_that_must_not_be_touched_is_left_alone_by_name(
    there: dict[str, Any], cause: str, remedy: str
) -> None:
    seen = replace(user(), files={KILO: replace(file(PATH, MINE), **there)})
    outcome = plan_user(seen, made("kilo"))
    assert outcome.changes == []
    (failure,) = outcome.failures
    assert failure.what.endswith("left alone")
    assert cause in failure.cause and remedy in failure.remedy


def test_a_read_only_file_that_is_as_it_should_be_is_no_failure() -> None:
    seen, change = connected(user({KILO: MINE}))
    assert change.after is not None
    seen = replace(seen, files={KILO: file(PATH, change.after, mode=0o444)})
    assert plan_user(seen, made("kilo")).failures == []


def test_a_link_is_written_where_it_leads() -> None:
    linked = replace(file(PATH, MINE), real="/home/hector/dotfiles/kilo.jsonc")
    (change,) = plan_user(replace(user(), files={KILO: linked}), made("kilo")).changes
    assert change.path == "/home/hector/dotfiles/kilo.jsonc"
    assert change.record is not None and change.record.path == PATH


def test_a_broken_record_stops_that_file_alone() -> None:
    seen = user({KILO: MINE}, records={"kilo": b"\x00", "opencode": b"/x\n{}"})
    outcome = plan_user(seen, made("kilo", "opencode", "llm"))
    assert [change.client for change in outcome.changes] == ["llm"]
    assert [failure.remedy[:12] for failure in outcome.failures] == ["move it away"] * 2


def test_a_wrapper_of_ours_is_mended_and_a_foreign_one_is_not_touched() -> None:
    place = "~/.local/bin/ollama-qwen"
    path = "/home/hector/.local/bin/ollama-qwen"
    first = plan_user(user(), made("shell"))
    assert len(first.changes) == 6
    (wrapper,) = [change for change in first.changes if change.path == path]
    assert (wrapper.mode, wrapper.record is not None) == (0o755, True)
    foreign = user({place: b"#!/bin/sh\nmine\n"})
    (failure,) = plan_user(foreign, made("shell")).failures
    assert "is there and not ours" in failure.cause
    assert wrapper.record is not None
    edited = replace(foreign, records={wrapper.name: wrapper.record.to_bytes()})
    (mended,) = [c for c in plan_user(edited, made("shell")).changes if c.path == path]
    assert (mended.why, mended.after) == ("edited by hand", wrapper.after)


def test_a_wrapper_that_was_edited_is_not_thrown_away() -> None:
    path = "/home/hector/.local/bin/ollama-old"
    record = Record(path, "shell", digest(b"ours"))
    seen = user(records={"shell-ollama-old": record.to_bytes()})
    edited = replace(seen, files={path: file(path, b"mine now")})
    (failure,) = plan_user(edited, ()).failures
    assert "edited by hand" in failure.cause
    (change,) = plan_user(replace(seen, files={path: file(path, b"ours")}), ()).changes
    assert change.after is None


def test_what_is_written_of_a_silent_service_stays_as_it_is() -> None:
    seen, change = connected(user({KILO: MINE}))
    assert plan_user(seen, made("kilo", models={"qwen": {"port": 1234}}), {"qwen"}).changes == []
    (fresh,) = plan_user(user({KILO: MINE}), made("kilo"), {"qwen"}).changes
    found = json.loads((fresh.after or b"").replace(b"// mine", b""))
    assert [*found["provider"]] == ["ollama-deepseek", "ollama-mistral"]
    assert "provider.ollama-qwen" in change.why
    assert settled([], None, {"qwen"}) == []


def test_auto_means_what_was_found_and_names_add_to_it() -> None:
    assert wanted(["auto"], {"kilo", "shell"}) == ["kilo", "shell"]
    assert wanted(["auto", "llm"], {"kilo"}) == ["kilo", "llm"]
    assert wanted(["aider"], {"kilo"}) == ["aider"]
    assert wanted([], {"kilo"}) == []


def test_open_webui_is_found_by_its_container() -> None:
    there = ForeignContainer("chat", (), True, "ghcr.io/open-webui/open-webui:main")
    found = meant(declared(clients=["auto"]), user(), Snapshot(foreign=(there,)))
    assert found == ["open-webui"]
    assert meant(declared(clients=["auto"]), user(), Snapshot()) == []


def test_settings_of_every_edition_of_vs_code_that_is_there_are_kept() -> None:
    seen = user(found=frozenset({"in-vscode", "in-vscode-server"}))
    names = [d.name for d in made("kilo-legacy", "vscode", seen=seen)]
    assert names == ["kilo-legacy", "vscode", "vscode-server"]


def test_the_managed_file_holds_what_a_users_does() -> None:
    document = managed(wiring())
    (mine,) = made("kilo")
    assert isinstance(mine, Merged)
    assert (document.places, document.entries) == (("/etc/kilo/kilo.jsonc",), mine.entries)
