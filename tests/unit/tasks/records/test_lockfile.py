"""stack.lock: what is written is read again, in stable order; a damaged file is left alone."""

from __future__ import annotations

import subprocess
import sys
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
