"""The app itself: the main view, and the verbs of main.sh behind keys."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rich.console import ConsoleDimensions
from textual import events, on
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.widgets import DataTable

from console.app import reading
from console.app.asking import Confirm, Menu
from console.app.board import Board
from console.app.cells import Shown, client_settings, hosts_of
from console.app.commands import COMMANDS, fleet_words, key_name, verb_words
from console.app.details import details
from console.app.feed import Feed, View
from console.app.jobs import Job
from console.app.tables import Database
from console.app.text import Follow, Lines, LogStream
from console.app.threads import is_open, tell
from console.app.work import JobView
from console.checks import startup
from console.looking.fleet import INVENTORY
from console.say import Speech, end_unforeseen
from tasks.declared.layers import ROOT, rooted
from tasks.declared.stack import Service, Stack
from tasks.words.printable import printable, printable_lines
from tasks.words.steps import LOCAL

if TYPE_CHECKING:
    from console.app.pulling import Choice

TITLE = "ollama-stack"
DARK, LIGHT = "textual-dark", "textual-light"
MAIN = str(ROOT / "main.sh")
WRITTEN_ONLY = 'needs stack.toml: declare it in the inventory\'s data, then press "c"'


class StackApp(App[None]):
    """What is there now, every two seconds and after each event of the engine."""

    TITLE = TITLE
    CSS = """
    #gpu, #checks, #trouble, #job { height: auto; padding: 0 1; width: 1fr; }
    #checks, #trouble { color: $text-warning; }
    #job { color: $text-accent; }
    Rows { height: auto; max-height: 50%; padding: 0 1; scrollbar-size-vertical: 1; }
    TabbedContent, TabPane, TabPane DataTable { height: 1fr; }
    #below { height: 1fr; padding: 1 1 0 1; }
    #about, #notes { height: auto; }
    .panel { width: 1fr; height: 1fr; border: round $primary; padding: 0 1; }
    .small { width: 60; height: 8; background: $surface; }
    .heading { text-style: bold; }
    RichLog, OptionList { background: $background; height: 1fr; }
    ModalScreen { background: $background; }
    Confirm { background: $background 60%; }
    #answer, #outcome, #said { height: auto; max-height: 50%; }
    ModalScreen { align: center middle; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(c.key, c.action, c.name, show=c.is_shown, key_display=key_name(c)) for c in COMMANDS
    ]

    def __init__(
        self, interval: float | None = None, inventory: Path = INVENTORY, feed: type[Feed] = Feed
    ) -> None:
        super().__init__()
        self.feed = feed(self._tell, interval, inventory)
        self.board = Board(self.feed, lambda: self.job)
        self.job: Job | None = None
        self.is_leaving = False
        self.has_left = False

    def get_default_screen(self) -> Screen[None]:
        """Return the main view."""
        return self.board

    def on_mount(self) -> None:
        self._loop_signals()
        self.feed.start()

    def on_unmount(self) -> None:
        self.feed.stop()

    @on(events.Resize)
    def resized(self, event: events.Resize) -> None:
        """Wrap text at the terminal's width; else it is COLUMNS's, where somebody set that."""
        self.console.size = ConsoleDimensions(*event.size)

    def _loop_signals(self) -> None:
        """Leave the terminal as it was found where the app is told to end."""
        import asyncio  # noqa: PLC0415 (only here)

        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(signum, partial(self._told_to_end, signum))

    def _told_to_end(self, signum: int) -> None:
        # Work that nobody reads any more would end by a broken pipe, wherever it is.
        if self.job is not None:
            self.job.cancel()
        self.exit(return_code=128 + signum)

    def _tell(self, view: View) -> None:
        tell(self, self._show, view)

    def _show(self, view: View) -> None:
        if is_open(self.board):
            self.board.show(view)

    # --- what a key is about ---------------------------------------------------------------------

    @property
    def chosen(self) -> Shown | None:
        """The service under the cursor."""
        return self.board.chosen

    def _stack_of(self, shown: Shown) -> Stack | None:
        statuses = self.board.seen.statuses
        return next((s.seen.stack for s in statuses if s.seen.name == shown.host), None)

    def _declared(self) -> tuple[Stack, Service] | None:
        """Return the declaration behind the cursor, of this machine; say where there is none."""
        shown = self.chosen
        stack = self._stack_of(shown) if shown is not None else None
        if shown is None or stack is None:
            return None
        if shown.host != LOCAL:
            self._warn(f"{shown.key} is on another machine: open the app there")
            return None
        service = next((s for s in stack.services if s.name == shown.view.name), None)
        return (stack, service) if service is not None else None

    def _warn(self, text: str) -> None:
        self.notify(text, severity="warning")

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Show something for a moment; it is never markup, whoever asks."""
        words, heading = printable_lines(message), printable(title)
        super().notify(words, title=heading, severity=severity, timeout=timeout, markup=False)

    # --- work ------------------------------------------------------------------------------------

    def begin(self, title: str, words: list[str]) -> None:
        """Begin a command, unless another one is at work: they would wait for each other."""
        if self.job is not None and self.job.is_running:
            self._warn(f"{self.job.title} is at work: o shows it, x cancels it")
            return
        self.job = Job(title, words)
        self.push_screen(JobView(self.job))
        self.run_worker(self._work(self.job), exit_on_error=False)

    async def _work(self, job: Job) -> None:
        def show(line: str) -> None:
            for screen in self.screen_stack:
                if isinstance(screen, JobView) and screen.job is job and is_open(screen):
                    screen.add(line)

        await job.run(show)
        if self.is_leaving:
            self.exit()
        self.feed.look_again()
        text = f"{job.title}: {job.outcome}"
        self.notify(text, severity="error" if job.is_bad else "information")

    def verb(self, verb: str, shown: Shown) -> None:
        """Do a verb with a service, wherever it is."""
        words = verb_words(verb, shown.host, shown.view.name, self.feed.inventory)
        if words is None:
            self._warn(f"{verb} of {shown.key} {WRITTEN_ONLY}")
            return
        self.begin(f"{verb} {shown.key}", words)

    def action_verb(self, verb: str) -> None:
        """Do a verb with the service under the cursor."""
        if self.chosen is not None:
            self.verb(verb, self.chosen)

    def action_rollback(self) -> None:
        """Go back to what was proven before: what is there now is given up for it."""
        shown = self.chosen
        if shown is None:
            return
        if not shown.view.previous:
            self._warn(f"nothing before the present is kept for {shown.key}")
            return

        def decide(is_meant: bool | None) -> None:
            if is_meant:
                self.verb("rollback", shown)

        self.push_screen(Confirm(f"Put {shown.key} back to what was proven before?"), decide)

    def action_pull(self) -> None:
        """Ask for a model, and pull it into the service under the cursor."""
        from console.app.pulling import Pull  # noqa: PLC0415 (the start does not pay for it)

        found = self._declared()
        if found is None:
            return
        name = found[1].name

        def go(choice: Choice | None) -> None:
            if choice is not None:
                use = ["--use"] if choice.is_main else []
                self.begin(f"pull {name} {choice.model}", [MAIN, "pull", name, choice.model, *use])

        self.push_screen(Pull(*found), go)

    def action_converge(self) -> None:
        """Converge everything: this machine, or all hosts of the inventory."""
        has_others = hosts_of(self.board.shown)
        words = fleet_words("stack", self.feed.inventory) if has_others else [MAIN, "setup", "-y"]
        self.begin("converge", words)

    def action_verify(self) -> None:
        """Check the installation with testinfra."""
        self.begin("verify", [MAIN, "verify"])

    def action_doctor(self) -> None:
        """Check everything, with real generations."""
        self.begin("doctor", [MAIN, "doctor"])

    def action_job(self) -> None:
        """Show what the last work printed."""
        if self.job is None:
            self._warn("nothing was begun here yet")
        else:
            self.push_screen(JobView(self.job))

    def action_cancel(self) -> None:
        """End the work that is going on."""
        if self.job is None or not self.job.is_running:
            self._warn("nothing is at work")
        else:
            self.job.cancel()

    def action_leave(self) -> None:
        """Leave; work that is going on would be cut off, so that is asked, and its end awaited."""
        job = self.job
        if job is None or not job.is_running:
            self.exit()
            return
        if isinstance(self.screen, Confirm):
            return

        def decide(is_meant: bool | None) -> None:
            if is_meant and job.is_running:
                self.is_leaving = True
                job.cancel()
            elif is_meant:
                self.exit()

        self.push_screen(Confirm(f"{job.title} is at work. Cancel it and leave?"), decide)

    def exit(self, *values: Any, **options: Any) -> None:
        """Leave; keys that were typed ahead do nothing any more."""
        self.has_left = True
        super().exit(*values, **options)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Tell whether an action may be done."""
        return False if self.has_left else super().check_action(action, parameters)

    async def action_quit(self) -> None:
        """Leave by Textual's own key, and from its palette."""
        self.action_leave()

    # --- looking ---------------------------------------------------------------------------------

    def action_menu(self) -> None:
        """Offer all that can be done, the service's own first."""
        shown = self.chosen
        commands = [c for c in COMMANDS if c.action != "menu" and (shown or not c.of_service)]

        def choose(action: str | None) -> None:
            if action:
                self._doing(action)()

        self.push_screen(Menu(shown.key if shown else TITLE, commands), choose)

    @on(DataTable.RowSelected)
    def row_selected(self) -> None:
        """Enter on a row of the main view; the tables of other views have nothing behind a row."""
        if self.screen is self.board:
            self.action_menu()

    def action_details(self) -> None:
        """Show all that is known of the service under the cursor."""
        shown = self.chosen
        if shown is not None:
            seen = next(s.seen for s in self.board.seen.statuses if s.seen.name == shown.host)
            self.push_screen(Lines(shown.key, partial(details, shown, seen)))

    def action_logs(self) -> None:
        """Follow the log of the service under the cursor."""
        found = self._declared()
        if found is not None:
            stack, service = found
            name = stack.container_name(service)
            self.push_screen(Follow(f"log of {name}", LogStream(stack.docker_socket, name)))

    def action_chat(self) -> None:
        """Try the service under the cursor."""
        from console.app.chatting import Chat  # noqa: PLC0415 (the start does not pay for it)

        found = self._declared()
        if found is not None:
            stack, service = found
            self.push_screen(Chat(service, stack.generate_timeout))

    def action_history(self) -> None:
        """Show what was changed of the service under the cursor."""
        shown = self.chosen
        if shown is not None:
            self.push_screen(
                Lines(f"{shown.key}: history", partial(reading.history, shown.host, shown.view))
            )

    def action_memory(self) -> None:
        """Show what the models take of the GPU's memory."""
        self.push_screen(Lines("the GPU's memory", reading.memory_plan))

    def action_database(self) -> None:
        """Show what the database holds."""
        stack = self.board.seen.any_stack
        if stack is not None:
            self.push_screen(Database(rooted(stack.database)))

    def action_checks(self) -> None:
        """Show what has to be there, checked anew."""
        self.push_screen(Lines("start-up checks", self._check_anew))

    def _check_anew(self) -> list[str]:
        return reading.start_up(startup.names(self.feed.inventory), self.feed.checked)

    def action_look(self) -> None:
        """Look again now."""
        self.feed.look_again()

    def action_copy(self, what: str) -> None:
        """Copy the URL of the service under the cursor, or all that a client has to be told.

        Not every terminal takes it (OSC 52), so it is shown as well.
        """
        if self.chosen is not None:
            view = self.chosen.view
            text = view.url if what == "url" else client_settings(view)
            self.copy_to_clipboard(text)
            self.notify(text, title="copied")

    def action_toggle_dark(self) -> None:
        """Change between light and dark."""
        self.theme = LIGHT if self.current_theme.dark else DARK

    @property
    def fault(self) -> Exception | None:
        """What nobody foresaw and ended the app."""
        return self._exception

    def _fatal_error(self) -> None:
        """Close without Textual's own traceback, which shows values: `run` tells what it was."""
        self._close_messages_no_wait()

    def action_keys(self) -> None:
        """Show every key."""
        lines = [f"{key_name(c):<8} {c.name:<16} {c.does}" for c in COMMANDS]
        more = f"{'ctrl+p':<8} {'palette':<16} All of this, to search in"
        self.push_screen(Lines("keys", lambda: [*lines, more]))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer every key in the command palette too."""
        yield from super().get_system_commands(screen)
        if screen is self.board:
            for command in COMMANDS:
                if command.action != "leave":
                    yield SystemCommand(command.name, command.does, self._doing(command.action))

    def _doing(self, action: str) -> Callable[[], None]:
        def do() -> None:
            self.run_worker(self.run_action(action), exit_on_error=False)

        return do


def run(inventory: Path = INVENTORY) -> int:
    """Open the app; returns its exit status."""
    app = StackApp(inventory=inventory)
    app.run()
    if app.fault is not None:
        end_unforeseen(app.fault, Speech())
    return app.return_code or 0
