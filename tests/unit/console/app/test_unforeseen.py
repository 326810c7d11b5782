"""What nobody foresaw ends the app in words, without the values that Textual would show."""

from __future__ import annotations

import pytest
from textual.app import App

import console.app.app as module


class Broken(module.StackApp):
    """An app with a fault of ours."""

    def on_mount(self) -> None:
        password = "hunter2"
        raise ValueError(f"a fault in {len(password)} letters")

    def run(self, **_: object) -> None:  # type: ignore[override]
        App.run(self, headless=True)


@pytest.fixture(autouse=True)
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "StackApp", Broken)
    monkeypatch.delenv("OLLAMA_STACK_DEBUG", raising=False)


def test_cause_and_remedy_are_all_that_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        module.run()
    told = capsys.readouterr()
    assert ended.value.code == 1
    assert "cause:  ValueError: a fault in 7 letters\nremedy:" in told.err
    assert "hunter2" not in told.err + told.out and "Traceback" not in told.err + told.out


def test_whoever_asks_gets_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_STACK_DEBUG", "1")
    with pytest.raises(ValueError, match="7 letters"):
        module.run()
