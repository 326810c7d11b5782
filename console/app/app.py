"""The app itself: one row a service, and the verbs of main.sh behind keys."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar

from textual import on, work
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import DataTable, Footer, Label, Static

from console.app.cells import COLUMNS, details, gpu_line, rows_of
from console.app.feed import INTERVAL, Feed, View
from console.app.jobs import Job
from console.app.screens import Ask, Chat, Confirm, Follow, JobView, Lines
from console.host import Trouble
from console.services import ServiceView
from console.status import notes
from tasks.stack import Service

TITLE = "ollama-stack"
LOOKING = "looking …"


class StackApp(App[None]):
    """What is there now, every two seconds and after each event of the engine."""

    TITLE = TITLE
    CSS = """
    #gpu { height: auto; padding: 0 1; }
    #trouble { height: auto; padding: 0 1; display: none; }
    #trouble.shown { display: block; }
    DataTable { height: auto; max-height: 60%; }
    #notes { height: 1fr; padding: 1 1 0 1; }
    #job { height: auto; padding: 0 1; }
    .panel { width: 90%; height: 90%; border: round $primary; padding: 0 1; background: $surface; }
    .small { width: 60; height: 8; }
    .heading { text-style: bold; }
    ModalScreen { align: center middle; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "verb('activate')", "activate"),
        Binding("d", "verb('deactivate')", "deactivate"),
        Binding("r", "verb('restart')", "restart"),
        Binding("u", "verb('upgrade')", "upgrade"),
        Binding("b", "rollback", "roll back", show=False),
        Binding("p", "pull", "pull"),
        Binding("c", "converge", "converge"),
        Binding("v", "verify", "verify", show=False),
        Binding("l", "logs", "log"),
        Binding("t", "chat", "chat"),
        Binding("i,enter", "details", "details", show=False),
        Binding("h", "text('history')", "history", show=False),
        Binding("m", "text('plan')", "memory", show=False),
        Binding("o", "job", "output", show=False),
        Binding("x", "cancel", "cancel", show=False),
        Binding("y", "copy", "copy address", show=False),
        Binding("question_mark", "keys", "keys"),
        Binding("q", "quit", "quit"),
    ]

    def __init__(self, interval: float = INTERVAL) -> None:
        super().__init__()
        self.feed = Feed(self._tell, interval)
        self.seen = View()
        self.job: Job | None = None

    # --- the main view ---------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        yield Label(LOOKING, id="gpu", markup=False)
        yield Static("", id="trouble", markup=False)
        yield DataTable(cursor_type="row", zebra_stripes=True)
        yield Static("", id="notes", markup=False)
        yield Static("", id="job", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        for number, heading in enumerate(COLUMNS):
            table.add_column(heading, key=str(number))
        table.focus()
        self.feed.start()
        self.set_interval(0.5, self._show_job)

    def on_unmount(self) -> None:
        self.feed.stop()

    def _tell(self, view: View) -> None:
        if self.is_running:
            self.call_from_thread(self.show, view)

    def show(self, view: View) -> None:
        """Show what was seen; cells change in place, so that the cursor stays where it is."""
        self.seen = view
        self.query_one("#gpu", Label).update(gpu_line(view.gpu))
        self._show_trouble(view.fault)
        views = view.status.rows if view.status is not None else ()
        self._show_rows(views)
        lines = [text for text, _ in notes(view.status)] if view.status is not None else []
        lines += [view.note] if view.note else []
        self.query_one("#notes", Static).update("\n".join(lines))

    def _show_trouble(self, trouble: Trouble | None) -> None:
        line = self.query_one("#trouble", Static)
        line.set_class(trouble is not None, "shown")
        if trouble is not None:
            line.update(f"✗ {trouble.cause}\n  remedy: {trouble.remedy}")

    def _show_rows(self, views: Iterable[ServiceView]) -> None:
        table: DataTable[object] = self.query_one(DataTable)
        rows = rows_of(tuple(views), self.seen.changed)
        if [row.key for row in rows] != [key.value for key in table.rows]:
            table.clear()
            for row in rows:
                table.add_row(*row.cells, key=row.key)
            return
        for row in rows:
            for number, cell in enumerate(row.cells):
                if table.get_cell(row.key, str(number)) != cell:
                    table.update_cell(row.key, str(number), cell, update_width=True)

    # --- what a key is about ---------------------------------------------------------------------

    @property
    def chosen(self) -> ServiceView | None:
        """The service under the cursor."""
        status = self.seen.status
        at = self.query_one(DataTable).cursor_row
        return status.rows[at] if status is not None and at < len(status.rows) else None

    @property
    def service(self) -> Service | None:
        """Its declaration."""
        stack, view = self.seen.stack, self.chosen
        if stack is None or view is None:
            return None
        return next((s for s in stack.services if s.name == view.name), None)

    # --- work ------------------------------------------------------------------------------------

    def begin(self, *words: str) -> None:
        """Begin a verb, unless another one is at work: they would wait for each other."""
        if self.job is not None and self.job.is_running:
            self.notify(
                f"{self.job.title} is at work: o shows it, x cancels it", severity="warning"
            )
            return
        self.job = Job(words)
        self._work(self.job)
        self.push_screen(JobView(self.job))

    @work(exclusive=False)
    async def _work(self, job: Job) -> None:
        def tell(line: str) -> None:
            screen = self.screen
            if isinstance(screen, JobView) and screen.job is job:
                screen.add(line)

        status = await job.run(tell)
        self.feed.look_again()
        is_bad = bool(status) and not job.is_cancelled
        self.notify(f"{job.title}: {job.outcome}", severity="error" if is_bad else "information")

    def _show_job(self) -> None:
        job = self.job
        text = f"{job.title}: {job.outcome}   (o: output, x: cancel)" if job is not None else ""
        self.query_one("#job", Static).update(text if job is not None and job.is_running else "")

    def action_verb(self, verb: str) -> None:
        """Do a verb with the service under the cursor."""
        if self.chosen is not None:
            extra = ("-y",) if verb == "upgrade" else ()
            self.begin(verb, self.chosen.name, *extra)

    def action_converge(self) -> None:
        """Converge everything."""
        self.begin("setup", "-y")

    def action_verify(self) -> None:
        """Check the installation with testinfra."""
        self.begin("verify")

    def action_rollback(self) -> None:
        """Go back to what was proven before: what is there now is given up for it."""
        view = self.chosen
        if view is None:
            return
        if not view.previous:
            self.notify(f"nothing before the present is kept for {view.name}", severity="warning")
            return
        name = view.name

        def decide(is_meant: bool | None) -> None:
            if is_meant:
                self.begin("rollback", name, "-y")

        self.push_screen(Confirm(f"Put {name} back to what was proven before?"), decide)

    def action_pull(self) -> None:
        """Ask for a model, and pull it into the service under the cursor."""
        view = self.chosen
        if view is None:
            return
        name = view.name

        def go(model: str | None) -> None:
            if model:
                self.begin("pull", name, model)

        self.push_screen(Ask(f"A further model for {name}", "name:tag"), go)

    def action_job(self) -> None:
        """Show what the last work printed."""
        if self.job is not None:
            self.push_screen(JobView(self.job))

    def action_cancel(self) -> None:
        """End the work that is going on."""
        if self.job is not None:
            self.job.cancel()

    # --- looking ---------------------------------------------------------------------------------

    def action_details(self) -> None:
        """Show all that is known of the service under the cursor."""
        if self.chosen is not None:
            self.push_screen(Lines(self.chosen.name, details(self.chosen)))

    @on(DataTable.RowSelected)
    def selected(self) -> None:
        """Enter on a row."""
        self.action_details()

    def action_logs(self) -> None:
        """Follow the log of the service under the cursor."""
        stack, view = self.seen.stack, self.chosen
        if stack is not None and view is not None:
            source = log_lines(stack.docker_socket, view.container)
            self.push_screen(Follow(f"log of {view.container}", source))

    def action_chat(self) -> None:
        """Try the service under the cursor."""
        stack, service = self.seen.stack, self.service
        if stack is not None and service is not None:
            self.push_screen(Chat(service, stack.generate_timeout))

    @work
    async def action_text(self, verb: str) -> None:
        """Show what a quick verb prints."""
        job = Job((verb,))
        await job.run(lambda line: None)
        self.push_screen(Lines(verb, job.lines))

    def action_copy(self) -> None:
        """Copy the address of the service under the cursor."""
        if self.chosen is not None:
            self.copy_to_clipboard(self.chosen.url)
            self.notify(f"{self.chosen.url} is copied")

    def action_keys(self) -> None:
        """Show every key."""
        bindings = [b for b in self.BINDINGS if isinstance(b, Binding)]
        names = {"question_mark": "?"}
        lines = [f"{names.get(b.key, b.key):<10} {b.description}" for b in bindings]
        self.push_screen(Lines("keys", [*lines, "ctrl+p     all of this, to search in"]))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer every key in the command palette too."""
        yield from super().get_system_commands(screen)
        for binding in self.BINDINGS:
            if isinstance(binding, Binding) and binding.action != "quit":
                yield SystemCommand(
                    binding.description, f"key {binding.key}", self._doing(binding.action)
                )

    def _doing(self, action: str) -> Callable[[], object]:
        return lambda: self.run_worker(self.run_action(action))


def log_lines(socket: str, container: str) -> Callable[[threading.Event], Iterator[str]]:
    """Return a source of a container's log that goes on until it is told to end."""

    def read(ended: threading.Event) -> Iterator[str]:
        import docker  # noqa: PLC0415 (a quarter of a second)

        try:
            found = docker.DockerClient(base_url=f"unix://{socket}").containers.get(container)
            for chunk in found.logs(stream=True, follow=True, tail=200):
                if ended.is_set():
                    return
                yield chunk.decode(errors="replace").rstrip("\n")
        except Exception as error:
            yield f"no log: {error}"

    return read


def run() -> None:
    """Open the app."""
    StackApp().run()
