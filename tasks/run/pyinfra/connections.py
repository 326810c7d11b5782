"""Hosts that do not answer: the others go on, and what pyinfra said of these ends the run.

pyinfra connects before it loads a deploy. It says why it cannot, and keeps that nowhere: so its
words are listened to, from config.py on, which it loads before it connects.
"""

from __future__ import annotations

import logging
import re
import shlex
from collections.abc import Mapping
from typing import Any

import click
from pyinfra import logger
from pyinfra.api import Host
from pyinfra.api.exceptions import ConnectError, PyinfraError
from pyinfra.api.state import StateStage
from pyinfra.connectors.ssh import SSHConnector
from pyinfra.context import ctx_state

from tasks.run.host_looks import write_at_exit
from tasks.run.last_words import print_failures_last
from tasks.run.pyinfra.speech import narrow_pyinfra
from tasks.run.pyinfra.usage import answer_for_pyinfra, is_dry
from tasks.run.session import SESSION
from tasks.words.failures import Failure

_SAID = re.compile(r"^\s*\[(?P<host>[^\]]+)\] (?P<words>.+)$", re.DOTALL)


class _Listener(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        is_connecting = ctx_state.isset() and ctx_state.get().current_stage is StateStage.Connect
        match = _SAID.match(click.unstyle(record.getMessage()))
        if is_connecting and match is not None:
            SESSION.said[match["host"]] = " ".join(match["words"].split())


def _connect_or_say_why(connector: SSHConnector) -> None:
    """Connect; a key that cannot be read is that host's trouble, and no end of the whole run."""
    try:
        _connect(connector)
    except ConnectError:
        raise
    except (PyinfraError, OSError) as error:
        raise ConnectError(str(error)) from None


_connect = SSHConnector.connect


def watch_connections() -> None:
    """Remember each host that cannot be reached, and end the run with what to do about it.

    pyinfra asks whether to go on without such a host; a dry run does.
    """
    narrow_pyinfra()
    SSHConnector.connect = _connect_or_say_why  # type: ignore[method-assign, assignment]
    logger.addHandler(_Listener(level=logging.ERROR))
    answer_for_pyinfra(is_dry)
    SESSION.silent = unreachable
    write_at_exit(SESSION.looks, unreachable)
    print_failures_last()


def unreachable() -> dict[str, list[Failure]]:
    """Return the failure of each host that could not be reached, by its name."""
    state = ctx_state.get()
    if not getattr(state, "initialised", False):
        return {}
    hosts = {host.name: host for host in state.inventory if host not in state.activated_hosts}
    return {
        name: [explain(words, way(hosts[name]))]
        for name, words in SESSION.said.items()
        if name in hosts
    }


def way(host: Host) -> str:
    """Return what a person would type to see whether a host lets them in; "" not by ssh."""
    if host.name.startswith("@") and not host.name.startswith("@ssh/"):
        return ""
    get = host.data.get
    user = f"{get('ssh_user')}@" if get("ssh_user") else ""
    words = ["ssh", *_options({"-p": get("ssh_port"), "-i": get("ssh_key")})]
    return shlex.join([*words, f"{user}{get('ssh_hostname') or host.name}", "true"])


def _options(values: Mapping[str, Any]) -> list[str]:
    return [word for flag, value in values.items() if value for word in (flag, str(value))]


def explain(words: str, command: str) -> Failure:
    """Say what a host that could not be reached needs; `words` are pyinfra's."""
    remedies = {
        "resolve": "mend its name, or its ssh_hostname, in the inventory",
        "key file": "mend ssh_key in the inventory: a file that is there, without a passphrase",
        "Authentication": "let this user log in: ssh_user and ssh_key in the inventory",
        "host key": "if the host was set up anew, forget its old key: ssh-keygen -R NAME",
    }
    remedy = next(
        (remedy for word, remedy in remedies.items() if word.lower() in words.lower()),
        "see that it is on, and that ssh answers there",
    )
    see = f"; {command} shows it" if command else ""
    cause = words.replace("[Errno None] ", "")
    return Failure("unreachable: nothing was done there", cause, f"{remedy}{see}")
