"""The terminal app, driven by keys: what it shows is what Docker shows, also after it acted."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.widgets import Input, OptionList

from bench.app import HALF_AN_HOUR
from console.app.board import Board
from console.app.feed import Feed
from lab import moves
from tests.stack.driving import Driver, driven
from tests.stack.installation import ROOT, SERVICES, Installation
from tests.stack.test_verbs import declared

# Longer than any test: what is shown then came by an event of Docker's.
NEVER = 3600.0


@pytest.fixture(autouse=True)
def here(stack: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The app is of the shared installation; each test leaves it as it was declared."""
    monkeypatch.setenv("STACK_FILE", str(stack.stack_file))
    yield
    for service in SERVICES:
        assert stack.inspect(service)["State"]["Running"], "a test left it as it was"


@pytest.fixture(scope="module")
def refreshing(stack: Installation, request: pytest.FixtureRequest) -> subprocess.Popen[str]:
    """Another app, that refreshes without a pause while the tests here make trouble.

    `--thorough` lets it look as often as half an hour has looks.
    """
    count = HALF_AN_HOUR if request.config.option.thorough else HALF_AN_HOUR // 6
    return subprocess.Popen(
        [sys.executable, "-m", "bench.app", "refreshes", "--here", "--count", str(count)],
        cwd=ROOT,
        env=stack.environment,
        stdout=subprocess.PIPE,
        text=True,
    )


def running(stack: Installation, service: str) -> bool:
    return bool(stack.inspect(service)["State"]["Running"])


@pytest.mark.usefixtures("refreshing")
async def test_the_main_view_shows_what_docker_and_ollama_say(stack: Installation) -> None:
    async with driven() as driver:
        row = driver.rows()["qwen"]
        assert row["state"] == "active"
        assert row["port"] == str(stack.port("qwen"))
        assert (
            f"sha256:{row['version']}" == stack.digest("qwen", "tiny-qwen:v1")[:19]
            or row["version"] == stack.digest("qwen", "tiny-qwen:v1").removeprefix("sha256:")[:12]
        )
        assert driver.said("checks") == ""
        assert stack.name("qwen") in driver.said("about")
        await driver.press("down")
        assert stack.name("deepseek") in driver.said("about")


async def test_keys_deactivate_activate_and_restart(stack: Installation) -> None:
    before = stack.containers()
    async with driven() as driver:
        await driver.choose("mistral")
        assert "done" in await driver.work("d")
        assert not running(stack, "mistral")
        await driver.until(lambda: driver.state("mistral") == "inactive", "inactive")
        assert declared(stack)["mistral"]["active"] is False
        assert "done" in await driver.work("a")
        assert running(stack, "mistral")
        await driver.until(lambda: driver.state("mistral") == "active", "active")
        assert "done" in await driver.work("r")
    after = stack.containers()
    name = stack.name("mistral")
    assert after[name][0] == before[name][0], "the same container"
    assert after[name][1] != before[name][1], "started anew"
    assert after[stack.name("qwen")] == before[stack.name("qwen")]


async def test_an_offer_is_shown_taken_and_rolled_back(stack: Installation) -> None:
    first = stack.digest("qwen", "tiny-qwen:v1")
    with moves.model_tag("tiny-qwen", "v1", "v2") as moved:
        async with driven() as driver:
            await driver.until(
                lambda: driver.rows()["qwen"]["look at"] == "upgrade available", "the offer"
            )
            assert "done" in await driver.work("u")
            assert stack.digest("qwen", "tiny-qwen:v1") == moved.removeprefix("sha256:")
            await driver.until(
                lambda: driver.rows()["qwen"]["version"] == moved[7:19], "the new digest"
            )
            # A look from the midst of the work may know the digest, and not yet what is kept.
            await driver.until(
                lambda: driver.app.chosen is not None and driver.app.chosen.view.previous,
                "what is kept",
            )
            await driver.press("b")
            assert "back to what was proven before" in driver.text()
            assert "done" in await driver.work("y")
    assert stack.digest("qwen", "tiny-qwen:v1") == first


async def test_a_model_is_found_at_the_registry_and_pulled(stack: Installation) -> None:
    async with driven() as driver:
        await driver.choose("deepseek")
        await driver.press("p")
        await driver.until(
            lambda: driver.screen.query_one(OptionList).option_count > 3, "names of models"
        )
        await driver.type("mistral")
        await driver.press("down", "enter")
        await driver.until(
            lambda: (
                driver.screen.query_one(Input).value == "tiny-mistral:"
                and driver.screen.query_one(OptionList).option_count > 1
            ),
            "its tags",
        )
        await driver.type("v1")
        said = await driver.work("enter")
        assert "done" in said
    assert declared(stack)["deepseek"]["also"] == ["tiny-mistral:v1"]
    assert stack.digest("deepseek", "tiny-mistral:v1")
    assert stack.rows()["deepseek"]["status"] == "active"


async def test_work_is_cancelled_and_the_next_converge_mends_it(stack: Installation) -> None:
    async with driven() as driver:
        await driver.press("r")
        job = driver.app.job
        assert job is not None
        began = "Containers | Converge qwen"
        await driver.until(lambda: began in "\n".join(job.lines), "the restart begins")
        await driver.press("x")
        await driver.until(lambda: not job.is_running, "its end")
        assert "cancelled" in job.outcome
        await driver.press("escape")
        assert "done" in await driver.work("c")
        await driver.until(lambda: driver.state("qwen") == "active", "active")


async def test_work_goes_on_behind_a_view_that_is_left_and_is_alone(stack: Installation) -> None:
    async with driven() as driver:
        await driver.press("v")
        job = driver.app.job
        assert job is not None
        await driver.press("escape", "r")
        assert driver.app.job is job, "one at a time"
        await driver.until(lambda: not job.is_running, "its end")
        await driver.press("o")
        assert job.outcome == "done", job.lines
        assert "checks: " in driver.text(), "testinfra's last line"


async def test_log_and_chat_are_of_the_real_server(stack: Installation) -> None:
    async with driven() as driver:
        await driver.press("l")
        await driver.until(lambda: "/api/version" in driver.text(), "the log")
        await driver.press("escape", "t")
        await driver.type("hello")
        await driver.press("enter")
        await driver.until(lambda: "tokens/s" in driver.text(), "an answer with its rate")
        await driver.press("escape")
        assert driver.screen is driver.board


async def test_every_view_shows_something_true(stack: Installation) -> None:
    async with driven() as driver:
        for key, word in (
            ("i", '"RestartPolicy"'),
            ("h", "prove model"),
            ("m", "GPU"),
            ("e", "declared"),
            ("question_mark", "roll back"),
        ):
            await driver.press(key)
            await driver.until(lambda word=word: word in driver.text(), f"{word} behind {key}")
            await driver.press("escape")
        await driver.press("i")
        await driver.until(lambda: "declared against seen" in driver.text(), "the comparison")
        await driver.press("escape", "y")
        assert driver.app.clipboard == stack.url("qwen")
        await driver.press("Y")
        assert f"OPENAI_BASE_URL={stack.url('qwen')}/v1" in driver.app.clipboard


async def test_the_database_is_shown_as_it_is(stack: Installation) -> None:
    async with driven() as driver:
        await driver.press("s")
        table = driver.screen.query_one("#rows-models")
        await driver.until(lambda: table.row_count == len(SERVICES), "its rows")
        shown = [[str(cell) for cell in table.get_row_at(at)] for at in range(len(SERVICES))]
    assert {row[0]: row[3] for row in shown} == {
        name: row["installed_version"] for name, row in stack.rows().items()
    }


async def test_the_menu_and_the_palette_do_what_the_keys_do(stack: Installation) -> None:
    async with driven() as driver:
        await driver.press("enter")
        assert driver.screen.query_one(OptionList).option_count > 20
        await driver.press("down", "down", "enter")
        await driver.until(lambda: driver.app.job is not None, "a restart, the third of the menu")
        job = driver.app.job
        assert job is not None
        assert job.title == "restart qwen"
        await driver.until(lambda: not job.is_running, "its end")
        await driver.press("escape", "ctrl+p")
        await driver.type("history")
        await driver.pilot.pause(0.5)
        await driver.press("enter")
        await driver.until(lambda: "prove model" in driver.text(), "the history")


# --- from outside, and with trouble ---------------------------------------------------------------


async def test_what_happens_outside_is_shown_by_dockers_events(stack: Installation) -> None:
    container = stack.client.containers.get(stack.name("qwen"))
    async with driven(interval=NEVER) as driver:
        container.stop(timeout=1)
        await driver.until(lambda: driver.state("qwen") == "stopped", "stopped")
        await driver.until(lambda: stack.rows()["qwen"]["status"] == "inactive", "its row")
        container.start()
        await driver.until(lambda: driver.state("qwen") in ("active", "silent", "starting"), "up")
        await driver.until(lambda: refreshed(driver, "qwen") == "active", "active")
        await driver.until(lambda: stack.rows()["qwen"]["status"] == "active", "its row")
        container.remove(force=True)
        await driver.until(lambda: driver.state("qwen") == "absent", "absent")
        await driver.until(lambda: stack.rows()["qwen"]["status"] == "inactive", "its row")
        assert "done" in await driver.work("c")
        await driver.until(lambda: refreshed(driver, "qwen") == "active", "active")


def refreshed(driver: Driver, service: str) -> str:
    """A server answers some time after its container runs, of which there is no event."""
    driver.app.feed.look_again()
    return driver.state(service)


async def test_docker_down_is_told_and_recovered_from(stack: Installation) -> None:
    link = stack.folder / "docker.sock"
    link.symlink_to(stack.docker_socket)
    stack.write(docker_socket=str(link))
    try:
        async with driven(interval=0.2) as driver:
            link.unlink()
            await driver.until(lambda: "Docker is not running here" in driver.text(), "the cause")
            assert "remedy" in driver.text()
            await driver.press("question_mark")
            assert not isinstance(driver.screen, Board), "keys go on"
            await driver.press("escape")
            link.symlink_to(stack.docker_socket)
            await driver.until(lambda: driver.state("qwen") == "active", "recovered")
            await driver.until(lambda: driver.said("trouble") == "", "nothing is told any more")
    finally:
        stack.write(docker_socket=stack.docker_socket)


async def test_an_invalid_declaration_is_told_and_recovered_from(stack: Installation) -> None:
    text = stack.stack_file.read_text()
    async with driven(interval=0.2) as driver:
        stack.stack_file.write_text("prot = 1\n" + text)
        await driver.until(lambda: "there is no such setting" in driver.text(), "the fault")
        stack.stack_file.write_text(text)
        await driver.until(lambda: driver.state("qwen") == "active", "recovered")
        assert driver.said("trouble") == ""


async def test_a_locked_database_holds_nothing_up_and_is_written_later(stack: Installation) -> None:
    container = stack.client.containers.get(stack.name("qwen"))
    async with driven(interval=0.2) as driver:
        holder = sqlite3.connect(stack.database, isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        container.stop(timeout=1)
        await driver.until(lambda: driver.state("qwen") == "stopped", "shown all the same")
        holder.execute("ROLLBACK")
        holder.close()
        await driver.until(lambda: stack.rows()["qwen"]["status"] == "inactive", "its row")
        container.start()
        await driver.until(lambda: driver.state("qwen") == "active", "active")


async def test_a_server_that_hangs_is_told_and_recovered_from(stack: Installation) -> None:
    container = stack.client.containers.get(stack.name("qwen"))
    async with driven(interval=0.2) as driver:
        container.kill(signal="STOP")
        try:
            await driver.until(lambda: driver.state("qwen") in ("silent", "starting"), "silent")
            await driver.press("down")
            assert stack.name("deepseek") in driver.said("about"), "keys go on"
        finally:
            container.kill(signal="CONT")
        await driver.until(lambda: driver.state("qwen") == "active", "recovered")


async def test_a_registry_that_is_down_is_told_where_it_is_asked(stack: Installation) -> None:
    registry = stack.declared["model_registry"]
    stack.write(model_registry="127.0.0.1:9")
    try:
        async with driven() as driver:
            await driver.press("p")
            await driver.until(lambda: "does not answer" in driver.text(), "the cause")
            await driver.press("escape")
            assert driver.screen is driver.board
    finally:
        stack.write(model_registry=registry)


# --- two apps and a deploy ------------------------------------------------------------------------


def test_two_feeds_and_a_deploy_lose_no_row_and_change_nothing_twice(
    stack: Installation,
) -> None:
    feeds = [Feed(lambda view: None, interval=0.05) for _ in range(2)]
    for feed in feeds:
        feed.start()
    try:
        stack.client.containers.get(stack.name("qwen")).stop(timeout=1)
        before = len(rows(stack.database, "events"))
        output = stack.converge()
        assert output.status == 0, output.text
    finally:
        for feed in feeds:
            feed.stop()
    told = rows(stack.database, "events")[before:]
    assert [event["action"] for event in told] == ["start", "prove model"], told
    assert set(stack.rows()) == set(SERVICES)
    assert {row["status"] for row in stack.rows().values()} == {"active"}
    assert rows(stack.database, "services", "name") == sorted(SERVICES)


def rows(path: Path, table: str, column: str = "") -> list[dict[str, object]]:
    with sqlite3.connect(path) as connection:
        connection.row_factory = sqlite3.Row
        found = [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]
    return sorted(row[column] for row in found) if column else found


def test_of_two_verbs_at_once_one_is_done_and_the_other_says_who_is_at_work(
    stack: Installation,
) -> None:
    begun = [
        subprocess.Popen(
            [str(ROOT / "main.sh"), "restart", "deepseek"],
            env=stack.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    said = [process.communicate()[0] for process in begun]
    statuses = sorted(process.returncode for process in begun)
    assert statuses == [0, 1], said
    assert any("at work" in text for text in said)


def test_refreshes_leak_neither_memory_nor_descriptors(
    refreshing: subprocess.Popen[str],
) -> None:
    said, _ = refreshing.communicate()
    assert refreshing.returncode == 0
    held = json.loads(said)
    assert held["refreshes"] >= HALF_AN_HOUR // 6
    assert held["descriptors after"] <= held["descriptors before"] + 2
    assert held["memory after"] <= held["memory before"] + 8 * 1024**2, held
