"""The parts of a bundle, each made when it is asked for; secrets are taken out where it is made."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from console.bundle.declaration import settings, stack_toml
from console.bundle.place import NotThere, Place
from console.checks.files import failed_logs
from console.checks.finding import Check
from console.checks.lines import check_lines
from console.looking.history import event_text
from console.looking.host import this_machine
from console.looking.status import as_value, statuses
from console.version import own_version
from tasks.container_toolkit.facts import SCRIPT
from tasks.container_toolkit.observed import Toolkit
from tasks.containers.engine import container_log
from tasks.database.database import rows_of, unusable
from tasks.database.rows import KEYS
from tasks.declared.layers import rooted
from tasks.docker_engine.daemon_json import Refused, parse
from tasks.records.runlog import log_beside
from tasks.words.printable import json_text

LOG_LINES = 2000
Files = Mapping[str, str]


@dataclass(frozen=True)
class Part:
    """One or several files of a bundle. `make` returns their texts by name. Raises NotThere."""

    name: str
    about: str
    make: Callable[[], Files]


def parts(place: Place, found: Iterable[Check]) -> Iterator[Part]:
    """Return every part, in the order in which a person would read them."""
    checks = list(found)

    def one(name: str, about: str, make: Callable[[], str]) -> Part:
        return Part(name, about, lambda: {name: make()})

    def value(name: str, about: str, make: Callable[[], Any]) -> Part:
        return one(name, about, lambda: _json(place, make()))

    yield one("doctor.txt", "what the doctor found", lambda: _doctor(place, checks))
    yield value("doctor.json", "the same for programs", lambda: [c.as_json() for c in checks])
    if place.fault:
        about = "what is wrong with the declaration"
        yield one("declaration-faults.txt", about, lambda: place.scrubbed(place.fault))
    yield value("status.json", "every service as it is now", lambda: _status(place))
    yield value("versions.json", "versions of everything that takes part", lambda: versions(place))
    yield value("host.json", "user, distribution, packages, ports", lambda: _host(place))
    yield value("declaration.json", "each setting and where it comes from", lambda: settings(place))
    yield one("stack.toml", "your own settings, without comments", lambda: stack_toml(place))
    yield one("stack.lock", "the digests that were proven", lambda: _file(place, _lock(place)))
    about = f"our containers: docker inspect, and the last {LOG_LINES} lines of their logs"
    yield Part("containers", about, lambda: _containers(place))
    yield value("docker-info.json", "docker info", lambda: place.ask("/info"))
    yield one("daemon.json", "Docker's settings", lambda: _daemon_json(place))
    yield one("nvidia-smi.txt", "nvidia-smi -q", lambda: _nvidia_smi(place))
    yield Part("database", "the rows of the database", lambda: _database(place))
    yield one("history.txt", "what was changed, when and why", lambda: _history(place))
    yield Part("log", "the log of what was changed", lambda: _logs(place))
    yield Part("failed", "logs of containers that did not work", lambda: _failed(place))


def _json(place: Place, value: Any) -> str:
    return json_text(place.scrubber.value(value), indent=2, is_ascii=False) + "\n"


def _doctor(place: Place, checks: list[Check]) -> str:
    lines = [line for check in checks for line in check_lines(check)]
    return place.scrubbed("\n".join(lines) or "the doctor came to no finding") + "\n"


def _status(place: Place) -> Any:
    _ = place.looked
    return as_value(statuses([this_machine()])[0])


def _host(place: Place) -> Any:
    return asdict(place.looked.host)


def versions(place: Place) -> dict[str, str]:
    """Return the versions of everything that takes part; "" where nobody can tell."""
    found = {
        "ollama-stack": own_version(),
        "python": platform.python_version(),
        "pyinfra": version("pyinfra"),
        "kernel": platform.release(),
        "architecture": platform.machine(),
    }
    if place.stack is None:
        return found
    looked = place.looked
    lines = looked.plain.sh(SCRIPT, timeout=60).stdout.split("\n")
    return found | {
        "os": looked.host.distribution.pretty_name,
        "docker": looked.snapshot.version,
        "container toolkit": Toolkit.from_lines(lines).version,
        "nvidia driver": looked.nvidia.driver or looked.nvidia.loaded,
        "cuda": looked.nvidia.cuda,
        **{f"ollama of {s}": server.version for s, server in looked.snapshot.servers.items()},
    }


def _lock(place: Place) -> Path:
    return rooted(place.text("lock"))


def _file(place: Place, path: Path) -> str:
    if not path.is_file():
        raise NotThere(f"there is no {path}")
    return place.scrubbed(path.read_text(encoding="utf-8", errors="replace"))


def _containers(place: Place) -> Files:
    if not place.containers:
        raise NotThere("there are no containers of this stack")
    files = {}
    for attrs in place.containers:
        name = str(attrs["Name"]).lstrip("/")
        files[f"containers/{name}.json"] = _json(place, attrs)
        text = container_log(place.shell, place.socket, attrs["Id"], LOG_LINES)
        files[f"containers/{name}.log"] = place.scrubbed(text)
    return files


def _daemon_json(place: Place) -> str:
    engine = place.looked.engine
    if engine.daemon_json is None:
        raise NotThere(engine.daemon_json_error or "there is no daemon.json")
    try:
        return _json(place, parse(engine.daemon_json))
    except Refused:
        return place.scrubbed(engine.daemon_json)


def _nvidia_smi(place: Place) -> str:
    found = place.shell.sh("command -v nvidia-smi >/dev/null || exit 127; nvidia-smi -q")
    if not found.ok and not found.stdout:
        raise NotThere(found.stderr or "there is no nvidia-smi here")
    return place.scrubbed(f"{found.stdout}\n{found.stderr}")


def _database(place: Place) -> Files:
    path = place.database
    reason = unusable(path) if path.is_file() else "there is none"
    if reason:
        raise NotThere(f"{path}: {reason}")
    return {
        f"database/{table}.json": _json(place, rows_of(path, table)) for table in (*KEYS, "events")
    }


def _history(place: Place) -> str:
    events = [event_text(event) for event in rows_of(place.database, "events")]
    if not events:
        raise NotThere("nothing was changed here yet")
    return place.scrubbed("\n".join(events)) + "\n"


def _logs(place: Place) -> Files:
    path = log_beside(place.text("database"), place.text("log_file"))
    if path is None:
        raise NotThere("the log is switched off (log_file)")
    files = sorted(path.parent.glob(f"{path.name}*"))
    if not files:
        raise NotThere("nothing was logged yet")
    return {f"log/{file.name.lstrip('.')}": _file(place, file) for file in files}


def _failed(place: Place) -> Files:
    files = failed_logs(place.database)
    if not files:
        raise NotThere("there are none")
    return {f"failed/{file.name}": _file(place, file) for file in files}
