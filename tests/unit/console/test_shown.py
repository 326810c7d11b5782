"""Whatever a server, a host or a file says: people and programs are shown it, and nothing obeys it
(attack 13)."""

from __future__ import annotations

import ast
import json
import logging
import re
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from console import cli, complete
from console.checks.finding import Check
from console.checks.lines import check_lines
from console.looking import query
from console.looking.history import event_text
from console.looking.host import SeenHost
from console.looking.logs import shown
from console.looking.services import ServiceView, views
from console.looking.status import HostStatus, as_document, as_text
from console.say import end, show, tell
from console.using import chat as chatting
from console.verbose import Formatter
from console.words.streamed import Streamed
from console.words.trouble import Trouble
from tasks.declared.layers import ROOT
from tasks.declared.stack import DeclarationError
from tasks.records.scrub import Scrubber
from tasks.words.failures import Failure
from tasks.words.printable import printable_lines
from tests.unit.foreign import WORST, assert_literal, assert_only_shown, foreign
from tests.unit.tasks.samples import container, snapshot, spec, stack

STACK = stack()
VIEW = views(STACK, snapshot(container(spec(STACK))), None)[0]
TEXTS = (
    *("name", "role", "state", "container", "model"),
    *("installed_version", "ollama", "left_gpu", "unknown"),
)
Looked = st.builds(
    lambda texts, others: host(view(dict(zip(TEXTS, texts, strict=True)), others), others),
    st.lists(foreign, min_size=len(TEXTS), max_size=len(TEXTS)),
    st.lists(foreign, min_size=1, max_size=3),
)


def view(texts: dict[str, str], others: list[str]) -> ServiceView:
    drift = tuple({"field": other, "old": other, "new": other} for other in others)
    kept = tuple({"name": other, "digest": f"sha256:{other}", "size": 1} for other in others)
    lists: dict[str, Any] = {"models": tuple(others), "undeclared": tuple(others)}
    return replace(VIEW, drift=drift, previous=kept, **lists, **texts)


def host(row: ServiceView, others: list[str]) -> list[HostStatus]:
    trouble = Trouble(others[0], others[-1])
    seen = SeenHost("ws1", STACK, snapshot(version=others[0]), None, others[0])
    silent = SeenHost(others[0], STACK, trouble=trouble)
    return [HostStatus(seen, (row,), tuple(others), tuple(others)), HostStatus(silent)]


def printed(function: Callable[..., Any], *arguments: Any, **options: Any) -> str:
    """Return what reaches the terminal of a person."""
    command = click.Command("x", callback=lambda: function(*arguments, **options))
    result = CliRunner().invoke(command, color=True)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.output


WORST_HOST = host(view(dict.fromkeys(TEXTS, WORST), [WORST]), [WORST])


@given(Looked)
def test_attack_13_status_shows_whatever_servers_say(looked: list[HostStatus]) -> None:
    assert_only_shown(as_text(looked))


def test_attack_13_json_has_no_byte_that_a_terminal_obeys() -> None:
    told = printed(tell, as_document(WORST_HOST, is_here=False))
    assert_only_shown(told)
    (here, _) = json.loads(told)["hosts"]
    assert here["orphans"] == [WORST.replace("\ud800", "\ufffd")]


def test_attack_13_no_markup_of_a_server_ends_status() -> None:
    told = as_text(WORST_HOST)
    assert_only_shown(told)
    assert_literal(told)
    assert "0.24.0[/]" in as_text(host(replace(VIEW, ollama="0.24.0[/]"), ["x"]))


@given(Looked)
def test_attack_13_json_is_bytes_that_nothing_obeys_and_has_every_value(
    looked: list[HostStatus],
) -> None:
    document = as_document(looked, is_here=False)
    told = printed(tell, document)
    assert_only_shown(told)
    assert told.isascii()
    whole = json.dumps(document).encode("utf-16", "surrogatepass").decode("utf-16")
    # A lone surrogate becomes U+FFFD.
    if not re.search(r"\\ud[89a-f]", whole):
        assert json.loads(told) == json.loads(whole)
    assert len(printed(tell, document, is_line=True).splitlines()) == 1


@given(foreign, foreign)
def test_attack_13_the_doctor_and_its_trouble_are_lines(finding: str, remedy: str) -> None:
    check = Check("Ollama", False, finding, remedy)
    told = printed(show, *check_lines(check)) + printed(end, Trouble(finding, remedy))
    assert_only_shown(told)
    assert len(told.splitlines()) == (4 if remedy else 3)


def test_attack_13_the_doctor_colours_its_own_mark_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    checks = [Check("Ollama", False, WORST, WORST)]
    monkeypatch.setattr("console.checks.doctor.checks", lambda _: checks)
    monkeypatch.setattr("console.verbs.doctor.declared", lambda: STACK)
    told = CliRunner().invoke(cli.app, ["doctor"], color=True).output
    assert told.count("\x1b") == 2
    assert_only_shown(click.unstyle(told))
    assert_literal(told)
    program = CliRunner().invoke(cli.app, ["doctor", "--json"]).output
    assert_only_shown(program)
    assert json.loads(program)[0]["finding"] == WORST.replace("\ud800", "\ufffd")


@given(foreign)
def test_attack_13_history_is_a_line_for_each_change(text: str) -> None:
    keys = ("at", "host", "service", "action", "subject", "why")
    told = printed(show, event_text(dict.fromkeys(keys, text)))
    assert_only_shown(told)
    assert told.count("\n") == 1


@given(st.lists(foreign, max_size=8))
def test_attack_13_a_chat_is_shown_in_pieces_as_it_would_be_whole(pieces: list[str]) -> None:
    streamed = Streamed(is_prose=True)
    told = "".join(map(streamed.take, pieces)) + streamed.end()
    assert_only_shown(told)
    assert told == printable_lines("".join(pieces), is_prose=True)


def test_attack_13_an_escape_that_is_cut_anywhere_reaches_no_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = f"one {WORST} two"
    pieces = [*((letter, 0.0) for letter in text), ("", 41.0)]
    monkeypatch.setattr(chatting, "answer", lambda *_: iter(pieces))
    told = printed(chatting.ask, STACK.services[0], "hi", 1, [])
    assert_only_shown(told)
    assert_literal(told)
    assert told.startswith("one ") and told.endswith(" two\n")


def test_joined_letters_and_emoji_of_an_answer_stay() -> None:
    assert Streamed(is_prose=True).take("می‌خواهم ❤️ 👨‍👩‍👧") == "می‌خواهم ❤️ 👨‍👩‍👧"


@given(foreign, st.integers(1, 5))
def test_attack_13_a_containers_log_is_shown_however_it_was_cut(text: str, size: int) -> None:
    data = text.encode(errors="surrogatepass")
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    told = "".join(shown(chunks))
    assert_only_shown(told)
    assert told == printable_lines(data.decode(errors="replace"))


def test_a_long_log_without_an_end_of_an_escape_is_no_work() -> None:
    assert len("".join(shown([b"\xc2\x9d" * 100_000, b"\n", b"after"]))) >= len("after")


@given(foreign)
def test_attack_13_what_v_shows_is_one_line(text: str) -> None:
    formatter = Formatter(Scrubber(frozenset({"opensesame"})))
    record = logging.LogRecord("x", logging.DEBUG, "", 0, "%s", (text,), None)
    told = formatter.format(record)
    assert_only_shown(told)
    assert "\n" not in told


@pytest.mark.parametrize("cut", ["open\x1b[0msesame", "open\u200bsesame opensesame"])
def test_an_escape_in_the_middle_hides_no_secret_from_the_scrubber(cut: str) -> None:
    record = logging.LogRecord("x", logging.DEBUG, "", 0, cut, None, None)
    assert "opensesame" not in Formatter(Scrubber(frozenset({"opensesame"}))).format(record)


def test_attack_13_the_table_of_a_query_is_literal(capsys: pytest.CaptureFixture[str]) -> None:
    query.print_table([WORST, "n"], [(WORST, 1), (None, 2.5)])
    told = capsys.readouterr().out
    assert_only_shown(told)
    assert_literal(told)
    assert len(told.splitlines()) == 3


def test_attack_13_a_wrong_word_and_a_wrong_declaration_are_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for error in (
        click.UsageError(WORST),
        DeclarationError([Failure(WORST, WORST, "")]),
        ValueError(WORST),
    ):

        def fail(error: Exception = error) -> None:
            raise error

        monkeypatch.setattr("console.verbs.doctor.declared", fail)
        monkeypatch.setattr("sys.argv", ["main.sh", "doctor"])
        with pytest.raises(SystemExit):
            cli.main()
        told = capsys.readouterr().err
        assert_only_shown(told)
        assert_literal(told)


def test_attack_13_no_shell_completes_a_name_that_is_no_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = [{"model": name} for name in (WORST, "x;id", "$(id)", "a b", "mine:1")]
    monkeypatch.setattr(complete, "rows_of", lambda *_: held)
    monkeypatch.setattr(complete, "declared", lambda: STACK)
    context = click.Context(click.Command("pull"))
    offered = complete.models(context, click.Argument(["model"]), "")
    assert {item.value for item in offered} == {
        "mine:1",
        *(model for service in STACK.services for model in service.models),
    }


# Where a text may leave, and by what: whatever else prints has to be made printable by hand.
WAYS_OUT = {
    "click.echo": {"console/say.py"},
    "click.secho": set(),
    "print": set(),
    "Text": {"console/words/safe.py", "console/looking/watch.py", "console/app/cells.py"},
    "Text.from_ansi": {"console/looking/watch.py"},
    "Text.from_markup": set(),
    "Label": {"console/app/asking.py"},
    "Static": set(),
    "json.dumps": set(),
}


def test_attack_13_there_is_one_way_out_of_the_console() -> None:
    for path in sorted((ROOT / "console").rglob("*.py")):
        name = str(path.relative_to(ROOT))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert name in WAYS_OUT.get(called, {name}), f"{name}:{node.lineno}: {called}"


def test_the_texts_of_a_row_are_all_tried() -> None:
    texts = {field.name for field in fields(ServiceView) if "str" in str(field.type)}
    assert texts - set(TEXTS) <= {"url", "processor", "drift", "models", "undeclared"} | {
        "previous",
        "gpu",
    }
