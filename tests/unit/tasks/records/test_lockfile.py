"""stack.lock: what is written is read again, in stable order; a damaged file is left alone."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.records.lockfile import LockError, LockFile
from tasks.records.proven import Proven

WORD = st.text(st.characters(codec="ascii", categories=("L", "N", "P")), min_size=1, max_size=12)
PROVEN = st.builds(Proven, WORD, WORD, WORD)


@given(st.lists(st.tuples(WORD, WORD, WORD, PROVEN), max_size=6))
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, entries: list[tuple[str, str, str, Proven]]
) -> None:
    path = tmp_path_factory.mktemp("lock") / "stack.lock"
    lock = LockFile(path)
    for host, service, model, proven in entries:
        lock.put(host, service, proven, {})
        lock.put(host, service, None, {model: proven})
    assert LockFile.load(path).entries == lock.entries


def test_the_order_of_writing_does_not_matter(tmp_path: Path) -> None:
    proven = Proven("m:1", "sha256:a", "2026")
    texts = []
    for number, names in enumerate([("a", "b"), ("b", "a")]):
        lock = LockFile(tmp_path / f"{number}")
        for name in names:
            lock.put("h", name, None, {"m:1": proven})
        texts.append(lock.path.read_text())
    assert texts[0] == texts[1]


def test_the_same_digest_again_does_not_touch_the_file(tmp_path: Path) -> None:
    lock = LockFile(tmp_path / "stack.lock")
    lock.put("h", "s", None, {"m:1": Proven("m:1", "sha256:a", "monday")})
    before = lock.path.read_bytes(), lock.path.stat().st_mtime_ns
    lock.put("h", "s", None, {"m:1": Proven("m:1", "sha256:a", "tuesday")})
    assert (lock.path.read_bytes(), lock.path.stat().st_mtime_ns) == before


def test_a_model_that_ran_on_the_gpu_is_known_as_such(tmp_path: Path) -> None:
    lock = LockFile(tmp_path / "stack.lock")
    for model, processor in (("a:1", "GPU"), ("b:1", "GPU 43 %"), ("c:1", "CPU")):
        lock.put("h", "s", None, {model: Proven(model, "sha256:a", "2026", processor)})
    assert LockFile.load(lock.path).service("h", "s").gpu_models == {"a:1"}


def test_two_hosts_that_write_in_turn_keep_each_others_entries(tmp_path: Path) -> None:
    proven = Proven("m:1", "sha256:a", "2026")
    one, two = LockFile(tmp_path / "stack.lock"), LockFile(tmp_path / "stack.lock")
    one.put("h1", "s", None, {"m:1": proven})
    two.put("h2", "s", None, {"m:1": proven})
    assert set(LockFile.load(one.path).entries) == {("h1", "s"), ("h2", "s")}


WRITER = """
from gevent import monkey
monkey.patch_all()
import sys
import tomllib
from pathlib import Path
import gevent
from tasks.records.lockfile import LockFile
from tasks.records.proven import Proven
lock = LockFile.load(Path(sys.argv[1]))
def write(host):
    for service in "abcde":
        gevent.sleep(0)
        lock.put(host, service, None, {"m:1": Proven("m:1", "sha256:a", "2026")})
gevent.joinall([gevent.spawn(write, f"{sys.argv[2]}-{n}") for n in range(3)], raise_error=True)
"""


def test_runs_in_two_terminals_on_several_hosts_each_lose_no_entry(tmp_path: Path) -> None:
    # As pyinfra runs them: hosts are greenlets of a process whose waiting is gevent's.
    path = tmp_path / "stack.lock"
    runs = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), name]) for name in "xy"]
    assert [run.wait(timeout=60) for run in runs] == [0, 0]
    hosts = {f"{run}-{number}" for run in "xy" for number in range(3)}
    assert set(LockFile.load(path).entries) == {(host, name) for host in hosts for name in "abcde"}


def test_an_image_counts_only_for_the_reference_that_was_asked_for(tmp_path: Path) -> None:
    lock = LockFile(tmp_path / "stack.lock")
    lock.put("h", "s", Proven("ollama/ollama:1", "sha256:a", "2026"), {})
    assert lock.service("h", "s").image_digest("ollama/ollama:1") == "sha256:a"
    assert lock.service("h", "s").image_digest("ollama/ollama:2") == ""


def test_what_was_proven_before_is_remembered_once_and_not_further(tmp_path: Path) -> None:
    lock = LockFile(tmp_path / "stack.lock")
    for digest in "abc":
        lock.put("h", "s", Proven("i:1", f"sha256:{digest}", "2026", size=5), {})
    image = LockFile.load(lock.path).service("h", "s").image
    assert image is not None
    assert image.previous is not None
    assert (image.digest, image.previous.digest) == ("sha256:c", "sha256:b")
    assert image.previous.previous is None


def test_the_same_digest_under_another_reference_keeps_what_was_before(tmp_path: Path) -> None:
    lock = LockFile(tmp_path / "stack.lock")
    for reference, digest in (("i:1", "a"), ("i:2", "b"), ("i:latest", "b")):
        lock.put("h", "s", Proven(reference, digest, "2026"), {})
    image = lock.service("h", "s").image
    assert image is not None
    assert image.previous is not None
    assert (image.reference, image.previous.digest) == ("i:latest", "a")


def test_another_main_model_has_the_one_before_it_as_its_predecessor(tmp_path: Path) -> None:
    lock = LockFile(tmp_path / "stack.lock")
    for name in ("a:1", "a:2"):
        lock.put("h", "s", None, {name: Proven(name, f"sha256:{name}", "2026")}, name)
    lock.put("h", "s", None, {"b:1": Proven("b:1", "sha256:b", "2026")})
    entry = LockFile.load(lock.path).service("h", "s")
    assert entry.main == "a:2"
    assert entry.previous_main is not None
    assert (entry.previous_main.reference, entry.previous_models) == ("a:1", {})
    lock.put("h", "s", None, {"a:1": Proven("a:1", "sha256:a:1", "2026")}, "a:1")
    entry = LockFile.load(lock.path).service("h", "s")
    assert entry.previous_main is not None
    assert (entry.main, entry.previous_main.reference) == ("a:1", "a:2")


def test_what_other_hosts_proved_last_is_known(tmp_path: Path) -> None:
    lock = LockFile(tmp_path / "stack.lock")
    for host, digest, at in (("h1", "a", "2025"), ("h2", "b", "2026")):
        proven = Proven("i:1", f"sha256:{digest}", at), Proven("m:1", f"sha256:{digest}", at)
        lock.put(host, "s", proven[0], {"m:1": proven[1]})
    assert lock.known_image("i:1") == "sha256:b"
    assert lock.known_image("i:2") == ""
    assert lock.known_models("h3") == {"m:1": "sha256:b"}
    assert lock.known_models("h2") == {"m:1": "sha256:a"}


def test_image_and_models_move_in_one_step(tmp_path: Path) -> None:
    lock = LockFile(tmp_path / "stack.lock")
    models = {name: Proven(name, "sha256:a", "2026") for name in ("a:1", "b:1")}
    lock.put("h", "s", Proven("i:1", "sha256:i", "2026"), models)
    again = LockFile.load(lock.path)
    assert again.service("h", "s").model_digests == {"a:1": "sha256:a", "b:1": "sha256:a"}
    again.drop_models("h", "s", ["a:1"])
    assert set(LockFile.load(lock.path).service("h", "s").models) == {"b:1"}


@pytest.mark.parametrize("text", ["x = [", "hosts = 5", '[hosts."@local"]\nqwen = 1', "\x00"])
def test_a_damaged_lock_is_named_and_left_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "stack.lock"
    path.write_text(text)
    with pytest.raises(LockError, match=r"stack\.lock"):
        LockFile.load(path)
    assert path.read_text() == text


OLD = Path(__file__).parent / "golden" / "version-0.lock"
NEWER = 'version = 2\nhosts = "are stored elsewhere by then"\n'
LATER = """\
signature = "of tomorrow"

[hosts.h.s]
note = "by hand"

[hosts.h.s.models."m:1"]
reference = "m:1"
digest = "sha256:a"
at = "2026"
quality = { bits = 4 }
"""


def test_a_newer_lock_is_refused_by_name_read_or_written(tmp_path: Path) -> None:
    path = tmp_path / "stack.lock"
    lock = LockFile(path)
    path.write_text(NEWER)
    told = []
    for act in (
        lambda: LockFile.load(path),
        lock.reload,
        lambda: lock.put("h", "s", None, {"m:1": Proven("m:1", "sha256:a", "2026")}),
        lambda: lock.drop_models("h", "s", ["m:1"]),
    ):
        with pytest.raises(LockError) as caught:
            act()
        told.append(str(caught.value))
    cause, _, remedy = told[0].partition("\n  remedy: ")
    assert cause == f"{path} is of version 2, and this ollama-stack reads up to 1"
    assert remedy.startswith("update ollama-stack (git pull)")
    assert {*told} == {told[0]}
    assert path.read_text() == NEWER


def test_a_lock_of_before_the_versions_is_left_alone_until_something_is_written(
    tmp_path: Path,
) -> None:
    path = tmp_path / "stack.lock"
    path.write_bytes(OLD.read_bytes())
    lock = LockFile.load(path)
    before = lock.service("@local", "qwen")
    lock.put("@local", "qwen", before.image, before.models, before.main)
    assert path.read_bytes() == OLD.read_bytes()
    lock.put("h", "s", None, {"m:1": Proven("m:1", "sha256:a", "2026")})
    assert path.read_text().splitlines()[1] == "version = 1"
    entries = LockFile.load(path).entries
    assert entries.pop(("h", "s")).model_digests == {"m:1": "sha256:a"}
    assert entries["@local", "qwen"] == before


def test_what_another_version_of_ours_wrote_beside_the_entries_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "stack.lock"
    path.write_text(LATER)
    lock = LockFile.load(path)
    lock.put("h", "s", Proven("i:1", "sha256:i", "2026"), {})
    lock.put("h", "s", None, {"m:1": Proven("m:1", "sha256:a", "2027", "GPU")})
    assert tomllib.loads(path.read_text()) == {
        "version": 1,
        "signature": "of tomorrow",
        "hosts": {
            "h": {
                "s": {
                    "note": "by hand",
                    "image": {"reference": "i:1", "digest": "sha256:i", "at": "2026"},
                    "models": {
                        "m:1": {
                            "reference": "m:1",
                            "digest": "sha256:a",
                            "at": "2027",
                            "processor": "GPU",
                            "quality": {"bits": 4},
                        }
                    },
                }
            }
        },
    }


def test_what_was_said_of_one_digest_is_not_said_of_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "stack.lock"
    path.write_text(LATER)
    lock = LockFile.load(path)
    lock.put("h", "s", None, {"m:1": Proven("m:1", "sha256:b", "2027")})
    model = LockFile.load(path).service("h", "s").models["m:1"]
    assert model.previous is not None
    assert (model.unknown, model.previous.unknown) == ({}, {"quality": {"bits": 4}})


def test_models_that_are_no_more_take_what_could_go_back_to_them_along(tmp_path: Path) -> None:
    path = tmp_path / "stack.lock"
    path.write_text(LATER)
    lock = LockFile.load(path)
    lock.put("h", "s", None, {"m:1": Proven("m:1", "sha256:a", "2026")}, "m:1")
    lock.put("h", "s", None, {"m:2": Proven("m:2", "sha256:b", "2026")}, "m:2")
    assert lock.service("h", "s").previous_main is not None
    lock.drop_models("h", "s", ["m:1"])
    entry = LockFile.load(path).service("h", "s")
    assert (set(entry.models), entry.previous_main) == ({"m:2"}, None)
    assert entry.unknown == {"note": "by hand"}
    assert tomllib.loads(path.read_text())["signature"] == "of tomorrow"


def test_a_lock_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file" / "stack.lock"):
        with pytest.raises(LockError, match="is not a lock that this version can read"):
            LockFile.load(path)
