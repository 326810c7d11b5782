"""What only looks and tells."""

from __future__ import annotations

import tarfile

from tests.recorded.scenarios import on_converged
from tests.recorded.world import World

CLIENTS = ("kilo", "kilo-legacy", "continue", "opencode", "aider", "llm", "vscode", "shell")
VERBS = (
    "activate", "app", "chat", "completion", "connect", "db", "deactivate", "doctor", "endpoint",
    "env", "history", "logs", "plan", "pull", "restart", "rollback", "status", "sync", "tunnel",
    "upgrade", "verify",
)  # fmt: skip


@on_converged
def help_of_every_verb(w: World) -> None:
    """What each verb says of itself."""
    w.console("--version")
    w.console("--help")
    for verb in VERBS:
        w.console(verb, "--help")
    for part in ("open", "path", "query"):
        w.console("db", part, "--help")


@on_converged
def status(w: World) -> None:
    """What is there, for people and for programs; also as pyinfra goes to the hosts of a file."""
    w.console("status")
    w.console("status", "--json")
    w.console("status", "--inventory", "inventory.py", "--limit", "@local")
    w.console("status", "--limit", "nobody")


@on_converged
def tells(w: World) -> None:
    """Where services answer, what was changed, and the rest that only tells."""
    w.console("endpoint")
    w.console("endpoint", "qwen", "--json")
    w.console("env", "qwen")
    w.console("env", "qwen", "--openai", "--json")
    w.console("env", "qwen", "--unset")
    w.console("history")
    w.console("history", "qwen", "--json")
    w.console("plan")
    w.console("plan", "--budget", "8")
    w.console("tunnel", "somewhere", "--print")
    w.console("chat", "qwen", "hello")
    w.console("chat", "qwen", "hello", "--json")
    w.console("sync")


@on_converged
def logs(w: World) -> None:
    """The log of a container."""
    w.say("qwen says two lines")
    w.host.containers[w.stack.name("qwen")].log[:] = ["one line", "and another"]
    w.console("logs", "qwen")
    w.console("logs", "qwen", "--json")


@on_converged
def database(w: World) -> None:
    """Queries of the database, that can only read."""
    w.console("db", "path")
    w.console("db", "query", "select name, port, status, last_updated from models")
    w.console("db", "query", "select * from services where name = 'qwen'", "--json")
    w.console("db", "query", "select service, action, subject, why from events")
    w.console("db", "query", "select nothing from nowhere")


@on_converged
def completion(w: World) -> None:
    """What shells complete."""
    for shell in ("bash", "zsh", "fish"):
        w.console("completion", shell)


@on_converged
def doctor(w: World) -> None:
    """Everything is checked; and what is written into one file for others."""
    w.console("doctor")
    w.console("doctor", "--json")
    bundle = w.stack.folder / "bundle.tar.gz"
    w.console("doctor", "--bundle", str(bundle))
    with tarfile.open(bundle) as file:
        w.say("its files:\n" + "\n".join(sorted(file.getnames())))


@on_converged
def clients(w: World) -> None:
    """Files of clients: shown, written by hand and by a run, and put back."""
    w.console("connect")
    # One by one: of several the order is another each time.
    for client in CLIENTS:
        w.console("connect", "--print", client)
    (w.stack.folder / "home" / ".config" / "opencode").mkdir(parents=True)
    mine = w.stack.folder / "home" / ".config" / "opencode" / "opencode.json"
    mine.write_text('{\n  // mine\n  "theme": "dark",\n}\n')
    w.console("connect", "continue", "--dry")
    w.console("connect", "continue")
    w.declare(clients=["continue", "opencode", "shell"])
    w.dry()
    w.run()
    w.console("connect", "--json")
    w.declare(qwen={"context": 4096})
    w.run()
    w.console("connect", "--remove")
    w.run("remove")
