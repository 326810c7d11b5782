"""`python -m lab …`: the lab's commands."""

from __future__ import annotations

import sys

import click
from docker.errors import DockerException

from lab import clients, faults, hosts, pace, say, status
from lab.down import down
from lab.errors import LabError
from lab.trouble import KINDS
from lab.up import up


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def commands() -> None:
    """A real stack without internet or GPU: for the demo and for tests."""


@commands.command("up")
@click.option("--engine29", is_flag=True, help="A second, 29-era Docker Engine as well.")
def up_command(engine29: bool) -> None:
    """Bring the lab up; what is there already stays as it is."""
    lab = up(with_engine29=engine29)
    say.line(f"The lab is up: images at {lab.image_mirror}, models at {lab.model_registry}.")
    say.line(f"Pace: {pace.told(lab.pace, lab.seed)}.")
    if lab.fault:
        say.line(f"The fault {lab.fault.name} is in force (`lab fault none` ends it).")


@commands.command("down")
def down_command() -> None:
    """Take down exactly what the lab started; its cache stays."""
    say.line("The lab is down." if down() else "There is no lab here.")


@commands.command("status")
@click.option("--json", "as_json", is_flag=True, help="All of it, for programs.")
def status_command(as_json: bool) -> None:
    """Show what of the lab is there."""
    found = status.look()
    if as_json:
        click.echo(found.model_dump_json(indent=2))
        return
    for line in status.lines(found):
        click.echo(line)


@commands.command("fault")
@click.argument("name", type=click.Choice([*KINDS, "none"]))
@click.option("--only", default="", help="One model (tiny-qwen, tiny-qwen:v1) or image tag.")
@click.option("--rate", default="", help="Bytes a second of blobs-slow, like 200k.")
@click.option("--after", default=0, help="Bytes before blobs-cut and blobs-stalled.")
@click.option("--once", is_flag=True, help="Only the first request of each path and minute.")
def fault_command(name: str, only: str, rate: str, after: int, once: bool) -> None:
    """Put a fault of the registries in force, or none."""
    if name == "none":
        faults.clear()
    else:
        faults.put(name, only=only, rate=rate, after=after, once=once)
    say.line(f"In force: {name}.")


@commands.command("clients")
def clients_command() -> None:
    """Install the pinned client programs into the cache, and say where they are."""
    for name, path in clients.ensure().programs.items():
        say.line(f"{name:<9} {path}")


@commands.group("host")
def host_group() -> None:
    """Fresh hosts: systemd, ssh and apt, no Docker."""


@host_group.command("up")
@click.argument("name")
@click.option("--sudo/--no-sudo", default=True, help="Its user may become root without password.")
def host_up_command(name: str, sudo: bool) -> None:
    """Bring a fresh host up and say how to reach it."""
    host = hosts.up(name, sudo=sudo)
    say.line(f"The host {name} is up: ssh -i {host.key} {host.user}@{host.address}")


@host_group.command("down")
@click.argument("name")
def host_down_command(name: str) -> None:
    """Remove a host with all that is in it."""
    hosts.down(name)


def main() -> None:
    """Run a command; a failure is one line with its remedy, and exit status 1."""
    try:
        commands(prog_name="lab", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
    except LabError as error:
        _fail(error.cause, error.remedy)
    except (DockerException, OSError) as error:
        _fail(str(error), "run again; `python -m lab down` and `up` begin afresh")


def _fail(cause: str, remedy: str) -> None:
    sys.stderr.write(f"lab: {cause}\n  remedy: {remedy}\n")
    sys.exit(1)
