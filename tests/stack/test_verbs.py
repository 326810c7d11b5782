"""The verbs that change or try one service: by the same converge as everybody's runs."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import tomllib
import urllib.request
from typing import Any

import pytest
import tomlkit

from tests.json_docs import TROUBLE, differences, documented
from tests.stack.installation import BEGINNING, ROOT, SERVICES, Installation
from tests.stack.test_console import console


def declared(stack: Installation) -> dict[str, dict[str, object]]:
    tables: dict[str, dict[str, object]] = tomllib.loads(stack.stack_file.read_text())["models"]
    return tables


def told(stack: Installation, *words: str, status: int = 0) -> Any:
    """Run a verb with --json; its document, that has to be all of stdout and as documented."""
    result = console(stack, *words, "--json")
    assert result.returncode == status, result.stderr
    document = json.loads(result.stdout)
    verb = " ".join(words[:2]) if words[0] == "db" else words[0]
    is_trouble = isinstance(document, dict) and document.keys() == {"trouble"}
    expected = TROUBLE if is_trouble else documented(verb)
    assert list(differences(expected, document)) == []
    return document


def actions(steps: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(step["service"], step["action"]) for step in steps]


def test_several_services_are_switched_and_told_of_as_json(stack: Installation) -> None:
    before = stack.containers()
    off = told(stack, "deactivate", "mistral", "qwen")
    assert [declared(stack)[name]["active"] for name in ("qwen", "mistral")] == [False, False]
    assert "active" not in declared(stack)["deepseek"]
    assert off["outcome"] == "done"
    assert {edit["key"] for edit in off["edits"]} == {
        "models.qwen.active",
        "models.mistral.active",
    }
    stops = [("mistral", "stop"), ("qwen", "stop")]
    assert actions(off["planned"]) == actions(off["changes"]) == stops
    states = {row["name"]: row["state"] for row in off["services"]}
    assert states == {"qwen": "inactive", "deepseek": "active", "mistral": "inactive"}
    assert {name: row["status"] for name, row in stack.rows().items()} == states
    on = told(stack, "activate", "--all")
    assert {row["state"] for row in on["services"]} == {"active"}
    again = told(stack, "activate", "--all")
    assert (again["outcome"], again["edits"], again["changes"]) == ("no change", [], [])
    after = stack.containers()
    assert {name: ids[0] for name, ids in after.items()} == {n: i[0] for n, i in before.items()}
    assert after[stack.name("deepseek")] == before[stack.name("deepseek")]


def test_a_person_is_told_in_words(stack: Installation) -> None:
    result = console(stack, "deactivate", "mistral", "--dry")
    assert result.returncode == 0
    assert "stack.toml would declare models.mistral.active = false" in result.stdout
    assert f"stop container {stack.name('mistral')}" in result.stdout + result.stderr
    assert stack.inspect("mistral")["State"]["Status"] == "running"


def test_restart_starts_the_same_container_anew_and_proves_it(stack: Installation) -> None:
    before = stack.containers()
    result = console(stack, "restart", "qwen", "--json")
    assert result.returncode == 0, result.stdout
    assert "tiny-qwen:v1 generated" in result.stderr, "pyinfra speaks to the person"
    found = actions(json.loads(result.stdout)["changes"])
    assert found == [("qwen", "stop"), ("qwen", "start"), ("qwen", "prove model")]
    after = stack.containers()
    name = stack.name("qwen")
    assert after[name][0] == before[name][0]
    assert after[name][1] != before[name][1]
    assert after[stack.name("mistral")] == before[stack.name("mistral")]


def test_an_interrupted_verb_tells_what_it_had_done(stack: Installation) -> None:
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), "restart", "qwen", "--json"],
        cwd=stack.folder,
        env=stack.environment,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stderr is not None
    lines = iter(process.stderr.readline, "")
    assert any(BEGINNING in line for line in lines)
    assert any("start container" in line for line in lines), "the stop is made then"
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate()
    assert stack.converge("only=qwen").status == 0
    assert process.returncode == 130
    document = json.loads(output)
    assert (document["outcome"], document["status"]) == ("interrupted", 130)
    assert actions(document["changes"])[:1] == [("qwen", "stop")]


def test_pull_declares_and_proves_a_further_model(stack: Installation) -> None:
    dry = told(stack, "pull", "qwen", "tiny-mistral:v1", "--dry")
    assert (dry["outcome"], dry["dry"], dry["changes"]) == ("planned", True, [])
    assert ("qwen", "pull model") in actions(dry["planned"])
    assert "also" not in declared(stack)["qwen"]
    assert told(stack, "pull", "qwen", "tiny-mistral:v1")["outcome"] == "done"
    assert declared(stack)["qwen"]["also"] == ["tiny-mistral:v1"]
    assert stack.digest("qwen", "tiny-mistral:v1")


def test_upgrade_and_rollback_tell_what_came_of_them(stack: Installation) -> None:
    there = told(stack, "upgrade", "deepseek", "--models", "--to", "v2")
    assert there["outcome"] == "done"
    assert there["edits"] == [{"key": "models.deepseek.model", "value": "tiny-deepseek:v2"}]
    assert ("deepseek", "move lock") in actions(there["changes"])
    back = told(stack, "rollback", "deepseek")
    assert declared(stack)["deepseek"]["model"] == "tiny-deepseek:v1"
    (row,) = (row for row in back["services"] if row["name"] == "deepseek")
    assert (row["state"], row["model"]) == ("active", "tiny-deepseek:v1")
    never = told(stack, "upgrade", "deepseek", "--models", "--to", "v9", status=1)
    assert (never["outcome"], never["edits_undone"], never["changes"]) == ("failed", True, [])
    assert "tiny-deepseek:v9" in never["failures"][0]["cause"]
    assert never["failures"][0]["remedy"]
    assert declared(stack)["deepseek"]["model"] == "tiny-deepseek:v1"


def test_a_model_that_nobody_has_ends_with_1_and_its_name(stack: Installation) -> None:
    found = told(stack, "pull", "deepseek", "no-such:v1", status=1)
    assert (found["outcome"], found["status"]) == ("failed", 1)
    assert "no-such:v1" in found["failures"][0]["cause"]
    assert {row["state"] for row in found["services"]} == {"active"}
    assert found["edits_undone"], "or every converge from now on would fail"
    assert "no-such" not in stack.stack_file.read_text()
    # The tests below begin from the first declaration again.
    stack.write()


def test_chat_answers_a_prompt_and_standard_input(stack: Installation) -> None:
    result = console(stack, "chat", "qwen", "hello")
    assert result.returncode == 0
    answer = told(stack, "chat", "qwen", "hello")
    assert answer["answer"] == result.stdout.strip()
    assert answer["tokens"] > 0
    stack.client.containers.get(stack.name("qwen")).stop(timeout=1)
    silent = console(stack, "chat", "qwen", "hello")
    trouble = told(stack, "chat", "qwen", "hello", status=1)["trouble"]
    assert stack.converge("only=qwen").status == 0
    assert silent.returncode == 1
    assert "does not answer" in silent.stderr
    assert "remedy:" in silent.stderr
    assert "does not answer" in trouble["cause"]


@pytest.mark.parametrize(
    "words",
    [
        ["status"],
        ["plan", "--budget", "8"],
        ["endpoint"],
        ["env", "qwen"],
        ["connect"],
        ["history", "-n", "200"],
        ["sync"],
        ["doctor"],
        ["db", "query", "SELECT name, status, port FROM models"],
    ],
    ids=" ".join,
)
def test_a_look_is_told_as_documented(stack: Installation, words: list[str]) -> None:
    assert told(stack, *words)


def test_history_tells_what_was_changed_and_why(stack: Installation) -> None:
    events = told(stack, "history", "qwen", "-n", "200")
    assert {event["service"] for event in events} == {"qwen"}
    text = console(stack, "history", "-n", "1").stdout
    assert len(text.splitlines()) == 1


def test_verify_tells_each_check_and_ends_with_1_where_one_fails(stack: Installation) -> None:
    good = told(stack, "verify", "-k", "mistral")
    assert good["status"] == 0
    assert {check["result"] for check in good["checks"]} == {"ok"}
    assert {check["service"] for check in good["checks"]} == {"mistral"}
    assert all(finding["is_well"] for finding in good["ready"])
    stack.client.containers.get(stack.name("mistral")).stop(timeout=1)
    broken = told(stack, "verify", "-k", "mistral and container", status=1)
    assert stack.converge("only=mistral").status == 0
    failed = [check["detail"] for check in broken["checks"] if check["result"] == "FAILED"]
    assert any("is exited" in detail for detail in failed)


def test_endpoints_answer_where_they_are_said_to(stack: Installation) -> None:
    (found,) = told(stack, "endpoint", "qwen")["endpoints"]
    with urllib.request.urlopen(f"{found['openai']}/models") as answer:
        held = {model["id"] for model in json.loads(answer.read())["data"]}
    assert set(found["models"]) <= held
    text = console(stack, "endpoint", "qwen").stdout
    assert found["openai"] in text.split()
    assert set(found["models"]) <= set(text.split())


def test_logs_as_json_lines_and_none_for_none(stack: Installation) -> None:
    result = console(stack, "logs", "qwen", "-n", "3", "--json")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(lines) == 3
    assert [list(differences(documented("logs"), line)) for line in lines] == [[]] * 3
    assert console(stack, "logs", "qwen", "-n", "0").stdout == ""


def test_logs_without_a_container_end_with_1_and_the_remedy(stack: Installation) -> None:
    other = dict(stack.declared, container_prefix=f"{stack.prefix}none-")
    (stack.folder / "other.toml").write_text(tomlkit.dumps(other))
    result = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), "logs", "qwen"],
        env={**stack.environment, "STACK_FILE": str(stack.folder / "other.toml")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "there is no container" in result.stderr
    assert "activate qwen" in result.stderr


def test_trouble_is_one_document_with_the_same_status(stack: Installation) -> None:
    good = stack.stack_file.read_text()
    stack.stack_file.write_text(good.replace(stack.docker_socket, "/nowhere/docker.sock"))
    try:
        for words in (["status"], ["sync"], ["logs", "qwen"], ["upgrade"]):
            trouble = told(stack, *words, status=1)["trouble"]
            assert "/nowhere/docker.sock" in trouble["cause"]
        stack.stack_file.write_text('colour = "red"\n')
        for words in (["status"], ["endpoint"], ["activate", "qwen"], ["verify"]):
            assert "colour" in told(stack, *words, status=2)["trouble"]["cause"]
    finally:
        stack.stack_file.write_text(good)


def test_watch_prints_a_document_a_line_until_it_is_interrupted(stack: Installation) -> None:
    watching = subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), "status", "--watch", "--json", "--interval", "0.2"],
        env=stack.environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert watching.stdout is not None
    seen = [json.loads(watching.stdout.readline()) for _ in range(2)]
    watching.send_signal(signal.SIGINT)
    _, errors = watching.communicate()
    assert [list(differences(documented("status"), value)) for value in seen] == [[], []]
    assert (watching.returncode, errors.strip()) == (130, "")


def test_watch_leaves_the_terminal_as_it_was(stack: Installation) -> None:
    ours, theirs = pty.openpty()
    watching = subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), "status", "--watch", "--interval", "0.2"],
        env={**stack.environment, "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = read_until(ours, b"Ctrl-C ends")
    watching.send_signal(signal.SIGINT)
    shown += read_until(ours, b"")
    os.close(ours)
    assert watching.wait() == 130
    for service in SERVICES:
        assert service.encode() in shown
    assert b"Traceback" not in shown
    assert shown.rindex(SHOW_CURSOR) > shown.rindex(HIDE_CURSOR)


HIDE_CURSOR, SHOW_CURSOR = b"\x1b[?25l", b"\x1b[?25h"


def read_until(terminal: int, word: bytes) -> bytes:
    """Read a terminal until a word was shown; with none until its program has ended."""
    shown = b""
    while not (word and word in shown):
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            # EIO: nobody has the other side open any more.
            break
        if not piece:
            break
        shown += piece
    return shown


def test_a_reader_that_has_enough_ends_it_well(stack: Installation) -> None:
    words = f"'{sys.executable}' '{ROOT}/main.py' status --watch --json --interval 0.2"
    result = subprocess.run(
        ["bash", "-c", f"{words} | head -n 1 >/dev/null; echo ${{PIPESTATUS[0]}}"],
        env=stack.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.stdout.strip(), result.stderr) == ("0", "")


def test_db_path_is_the_declared_one(stack: Installation) -> None:
    assert console(stack, "db", "path").stdout.strip() == str(stack.database)


def test_a_query_shows_rows_and_writes_nothing(stack: Installation) -> None:
    before = stack.database.read_bytes()
    text = console(stack, "db", "query", "SELECT name, port FROM models").stdout
    assert {tuple(line.split()) for line in text.splitlines()[1:]} == {
        (name, str(stack.port(name))) for name in SERVICES
    }
    for sql in ("DELETE FROM models", "VACUUM INTO 'x.db'", "SELEC"):
        assert console(stack, "db", "query", sql).returncode == 2
    shell = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), "db", "open"],
        input="SELECT 'read', count(*) FROM models; DELETE FROM models;",
        env=stack.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if shutil.which("sqlite3"):
        assert "read" in shell.stdout
        assert "readonly" in shell.stderr
    else:
        assert (shell.returncode, "apt-get install sqlite3" in shell.stderr) == (1, True)
    assert stack.database.read_bytes() == before
    assert not (stack.folder / "x.db").exists()


COMPLETE = """
eval "$({main} completion bash)"
COMP_LINE=$1 COMP_POINT=${{#1}}
_main_sh_completion {main}
printf '%s\n' "${{COMPREPLY[@]}}"
complete -p main.sh
"""


@pytest.mark.parametrize(
    ("line", "wanted", "unwanted"),
    [
        ("./main.sh st", {"status"}, {"restart"}),
        ("./main.sh ", {"status", "setup", "verify", "lab", "test", "lint", "bench"}, set()),
        ("./main.sh logs ", {*SERVICES}, set()),
        ("main.sh logs m", {"mistral"}, {"qwen"}),
        ("/else/where/main.sh deactivate qwen ", {"deepseek", "mistral"}, {"qwen"}),
        ("./main.sh pull qwen tiny-q", {"tiny-qwen:v1"}, {"tiny-mistral:v1"}),
        # Bash itself ends a word at each ":", and puts in only what follows it.
        ("./main.sh pull qwen tiny-qwen:", {"v1"}, {"tiny-qwen:v1"}),
        ("./main.sh upgrade --t", {"--to"}, set()),
        ("./main.sh db ", {"path", "query", "open"}, set()),
    ],
)
def test_bash_completes_verbs_services_and_models(
    stack: Installation, line: str, wanted: set[str], unwanted: set[str]
) -> None:
    found = completed(stack, line)
    assert not wanted - found
    assert not unwanted & found


def test_completion_says_nothing_where_the_declaration_is_invalid(stack: Installation) -> None:
    good = stack.stack_file.read_text()
    stack.stack_file.write_text('colour = "red"\n')
    try:
        assert completed(stack, "./main.sh logs ") == {""}
        assert "status" in completed(stack, "./main.sh st")
    finally:
        stack.stack_file.write_text(good)


def completed(stack: Installation, line: str) -> set[str]:
    """Complete a line in a real bash, in a folder that is not the root."""
    script = COMPLETE.format(main=f"'{ROOT}/main.sh'")
    result = subprocess.run(
        ["bash", "-c", script, "bash", line],
        cwd=stack.folder,
        env=stack.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    *found, registered = result.stdout.splitlines()
    assert registered.endswith("-F _main_sh_completion main.sh")
    assert result.stderr == ""
    return set(found)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_for_each_shell(stack: Installation, shell: str) -> None:
    script = console(stack, "completion", shell).stdout
    assert f"_MAIN_SH_COMPLETE={shell}_complete" in script.replace("COMPLETE fish", "COMPLETE=fish")
    assert f"'{ROOT}/main.sh'" in script, "of this installation, however it is typed"


@pytest.mark.parametrize(
    ("words", "hint"),
    [(["activate", "qwn"], "did you mean qwen?"), (["logs", "qwen", "-n", "-1"], "-1")],
)
def test_wrong_use_ends_with_2_and_a_hint(stack: Installation, words: list[str], hint: str) -> None:
    result = console(stack, *words)
    assert result.returncode == 2
    assert hint in result.stderr


def test_wrong_use_leaves_stdout_empty_for_a_program_too(stack: Installation) -> None:
    for words in (
        ["activate", "qwn"],
        ["upgrade", "--image", "--models"],
        ["db", "query", "SELEC"],
    ):
        result = console(stack, *words, "--json")
        assert (result.returncode, result.stdout) == (2, "")


def test_the_help_of_main_sh_names_every_verb() -> None:
    from console.group import app  # noqa: PLC0415
    from console.verbs import change  # noqa: F401, PLC0415

    text = (ROOT / "main.sh").read_text()
    assert [name for name in app.commands if f"\n  {name}" not in text] == []
