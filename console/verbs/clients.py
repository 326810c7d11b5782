"""Verbs about what uses the servers: the environment of one, a tunnel, clients by hand."""

from __future__ import annotations

import shlex
import sys

import click

from console.complete import active_services
from console.group import app
from console.looking.host import declared
from console.names import active, near
from console.say import json_option, show, show_text, tell
from tasks.declared.addresses import openai_url


@app.command("env")
@click.argument("service", shell_complete=active_services)
@click.option("--openai", is_flag=True, help="Also for OpenAI's libraries: base URL and key.")
@click.option("--unset", is_flag=True, help="Print what unsets the same variables.")
@json_option()
def env(service: str, openai: bool, unset: bool, as_json: bool) -> None:
    """Print the environment for one server: eval "$(./main.sh env qwen)", then ollama list."""
    from tasks.clients.wiring import client_url  # noqa: PLC0415 (status does not pay for it)

    stack = declared()
    url = client_url(stack, active(stack, service))
    variables = {"OLLAMA_HOST": url}
    if openai:
        # Ollama asks for no key, the libraries do.
        variables |= {"OPENAI_BASE_URL": openai_url(url), "OPENAI_API_KEY": "ollama"}
    if as_json:
        tell(variables)
        return
    for name, value in variables.items():
        show(f"unset {name}" if unset else f"export {name}={shlex.quote(value)}")


@app.command("connect")
@click.argument("clients", nargs=-1, metavar="[CLIENT]...")
@click.option("--print", "is_shown", is_flag=True, help="Print what would stand in new files.")
@click.option("--remove", is_flag=True, help="Put back what was there before; of all, or these.")
@click.option("--dry", is_flag=True, help="Only say what would be done.")
@json_option()
def connect_clients(
    clients: tuple[str, ...], is_shown: bool, remove: bool, dry: bool, as_json: bool
) -> None:
    """Wire CLIENT to the servers, on this machine; without one: what there is.

    What is wired or removed is declared in stack.toml too, so that the next converge keeps to it.
    """
    from console.changing import connect  # noqa: PLC0415 (status does not pay for it)
    from console.looking import clients as looking  # noqa: PLC0415 (as above)
    from tasks.clients.documents import NAMES  # noqa: PLC0415 (as above)

    for name in clients:
        if name not in NAMES:
            known = "" if near(name, NAMES) else f"; known: {', '.join(NAMES)}"
            raise click.UsageError(f"there is no client {name!r}{near(name, NAMES)}{known}")
    if is_shown and remove:
        raise click.UsageError("--print and --remove do not go together")
    if is_shown and not clients:
        raise click.UsageError(f"--print wants a CLIENT: {', '.join(NAMES)}")
    if is_shown and as_json:
        raise click.UsageError("--print shows files as they are, not as JSON")
    if (clients or remove) and not is_shown:
        status = connect.change(clients, remove=remove, is_dry=dry)
        if as_json:
            tell({"clients": looking.listing(looking.here(declared()))})
        sys.exit(status)
    machine = looking.here(declared())
    if is_shown:
        looking.tell_unknown(machine)
        show_text("\n".join(looking.printed(machine, clients)), end="")
    elif as_json:
        tell({"clients": looking.listing(machine)})
    else:
        show(*looking.lines(machine))


@app.command("tunnel")
@click.argument("host")
@click.option("--print", "is_shown", is_flag=True, help="Print the ssh command, and do nothing.")
def open_tunnel(host: str, is_shown: bool) -> None:
    """Reach the servers of HOST, as ssh knows it, on this machine's own ports, until Ctrl-C."""
    from console.using.tunnel import shown, tunnel  # noqa: PLC0415 (status does not pay for it)

    services = [s for s in declared().services if s.active]
    if not services:
        raise click.UsageError("no service is declared active: there is nothing to reach")
    if host.startswith("-") or not host.strip():
        raise click.UsageError(f"{host!r} is no host")
    if is_shown:
        show(shown(host, services))
        return
    tunnel(host, services)
