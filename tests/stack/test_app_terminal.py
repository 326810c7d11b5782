"""The app in a real terminal: tmux, 80 by 24, keys as a person types them."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.tools import ensure_programs
from tests.stack.installation import ROOT, Installation

# Bounds a wait; no test asserts how long something took.
LIMIT = 20.0
WIDTH, HEIGHT = 80, 24
# Of whoever runs the tests: what would speak for another terminal.
OTHERS = ("NO_COLOR", "TMUX", "COLUMNS", "LINES")
PROMPT = "ready>"


@dataclass
class Terminal:
    """A tmux server of its own with one window."""

    name: str

    def tmux(self, *words: str) -> str:
        """Run a command of tmux."""
        command = ["tmux", "-L", self.name, "-f", "/dev/null", *words]
        return subprocess.run(command, text=True, capture_output=True, check=True).stdout

    def keys(self, *keys: str) -> None:
        """Press keys, by tmux's names."""
        for key in keys:
            self.tmux("send-keys", key)

    def screen(self) -> str:
        """Return what is on the screen."""
        return self.tmux("capture-pane", "-p")

    def until(self, *words: str, without: str = "") -> str:
        """Wait until words are on the screen; returns all of it."""
        for _ in range(int(LIMIT / 0.1)):
            screen = self.screen()
            if all(word in screen for word in words) and not (without and without in screen):
                return screen
            time.sleep(0.1)
        raise AssertionError(f"never {words} without {without!r}:\n{screen}")

    def is_restored(self) -> bool:
        """Tell whether the alternate screen is left, the cursor shown and the mouse free."""
        flags = "#{alternate_on} #{cursor_flag} #{mouse_any_flag}"
        return self.tmux("display-message", "-p", flags).split() == ["0", "1", "0"]


@pytest.fixture(params=["", "1"], ids=["in colour", "NO_COLOR"])
def terminal(request: pytest.FixtureRequest, stack: Installation) -> Iterator[Terminal]:
    """A shell in tmux, in a folder that is not the product's."""
    ensure_programs({"tmux": "tmux"}, "Install tmux")
    # A server that is ending still answers to its name: each test has another.
    found = Terminal(f"ostest-{uuid.uuid4().hex[:12]}")
    environment = {k: v for k, v in stack.environment.items() if k not in OTHERS}
    environment |= {"NO_COLOR": "1"} if request.param else {}
    shell = f"env PS1='{PROMPT} ' bash --norc --noprofile -i"
    size = ["-x", str(WIDTH), "-y", str(HEIGHT)]
    subprocess.run(
        ["tmux", "-L", found.name, "-f", "/dev/null", "new-session", "-d", *size, shell],
        env=environment,
        cwd=stack.folder,
        check=True,
    )
    found.until(PROMPT)
    found.keys("echo be''fore", "Enter")
    found.until("\nbefore")
    found.keys(shlex.quote(str(ROOT / "main.sh")), "Enter")
    found.until("mistral", "quit", "look at")
    yield found
    found.tmux("kill-server")


def test_a_person_walks_the_menu_switches_a_service_and_leaves(
    terminal: Terminal, stack: Installation
) -> None:
    screen = terminal.until("active", "tiny-qwen:v1", stack.name("qwen"))
    assert max(map(len, screen.splitlines())) <= WIDTH
    terminal.keys("Enter")
    terminal.until("roll back", "Declared against seen")
    terminal.keys("Down", "Down", "Escape")
    terminal.until("look at")
    terminal.keys("d")
    terminal.until(" deactivate qwen: done")
    assert not stack.inspect("qwen")["State"]["Running"]
    terminal.keys("Escape")
    terminal.until("inactive", "look at")
    terminal.keys("a")
    terminal.until(" activate qwen: done", "esc back")
    assert stack.inspect("qwen")["State"]["Running"]
    terminal.keys("Escape")
    terminal.until("look at", without="inactive")
    terminal.keys("q")
    assert_as_found(terminal)


def test_an_order_to_end_leaves_the_terminal_as_it_was_found(terminal: Terminal) -> None:
    (shell,) = terminal.tmux("display-message", "-p", "#{pane_pid}").split()
    children = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGTERM)
    assert_as_found(terminal)


def test_columns_follow_the_width_of_the_terminal(terminal: Terminal, stack: Installation) -> None:
    terminal.tmux("resize-window", "-x", "50", "-y", "15")
    terminal.until("qwen", "active", "look at", without=" loaded ")
    terminal.tmux("resize-window", "-x", "200", "-y", "50")
    terminal.until("role", "container", "context", stack.name("mistral"))


def assert_as_found(terminal: Terminal) -> None:
    terminal.until("before", PROMPT, without="look at")
    assert terminal.is_restored()
    terminal.keys("echo af''ter", "Enter")
    terminal.until(f"{PROMPT} echo af''ter", "\nafter")
