"""A bundle on its way to the disk: one .tar.gz, its owner's alone, whole or not at all."""

from __future__ import annotations

import io
import os
import tarfile
import time
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from console.bundle.parts import Part, parts
from console.bundle.place import NotThere, Place
from console.checks.finding import Check
from console.say import end, show, show_text
from console.words.trouble import Trouble
from tasks.declared.stack import DeclarationError
from tasks.files.atomic import give_to_owner, remove_leftovers, temporary
from tasks.words.numbers import bytes_text
from tasks.words.printable import WHOLE, printable, printable_lines

SHARE = (
    "Passwords, tokens and the values of private variables were taken out, by what is declared\n"
    "and by what looks like one. Nobody can promise that this found all: look through it before\n"
    "you share it."
)


@contextmanager
def bundling(file: str | None, found: list[Check], *, is_json: bool) -> Iterator[None]:
    """Make a bundle of what was found within, also where an error ended that; None: no bundle.

    `file` is its path, "" for a name of its own in the working directory.
    """
    if file is None:
        yield
        return
    path = target(file)
    try:
        yield
    except Exception as error:
        is_ours = not isinstance(error, DeclarationError)
        text = "".join(traceback.format_exception(error)) if is_ours else ""
        write(path, found, text, is_json=is_json)
        raise
    write(path, found, "", is_json=is_json)


def target(file: str) -> Path:
    """Return where the bundle goes. Raises click.UsageError where something is there."""
    path = Path(file or f"ollama-stack-doctor-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.tar.gz")
    if path.exists() or path.is_symlink():
        raise click.UsageError(f"--bundle {path}: it exists, and nothing is overwritten")
    if not path.absolute().parent.is_dir():
        raise click.UsageError(f"--bundle {path}: there is no such folder")
    return path


def write(path: Path, found: list[Check], ended: str, *, is_json: bool) -> None:
    """Write the bundle and say what is in it; the words go to standard error beside JSON."""
    place = Place.here()
    made = dict(files(place, parts(place, found)))
    if ended:
        made["doctor-ended.txt"] = place.scrubbed(ended)
    about = "\n".join(contents(parts(place, found), made))
    made = {"README.txt": f"{about}\n\n{SHARE}\n", **made}
    try:
        save(path, made)
    except OSError as error:
        end(Trouble(f"{path} cannot be written: {error.strerror}", "name another: --bundle FILE"))
    size = bytes_text(path.stat().st_size)
    show("", f"{path}: {size}, {len(made)} files, yours alone to read", err=is_json)
    show_text(f"{about}\n{SHARE}\n    tar -xzOf {path} | less", err=is_json)


def files(place: Place, made: Iterable[Part]) -> Iterator[tuple[str, str]]:
    """Make the parts; one that cannot be had is a file that says so."""
    for part in made:
        try:
            yield from part.make().items()
        except NotThere as error:
            yield f"{part.name}.not-there.txt", f"{error}\n"
        except Exception as error:
            # Whoever reads the bundle looks for faults: this is one of ours.
            text = place.scrubbed(f"{type(error).__name__}: {error}")
            yield f"{part.name}.not-there.txt", f"{text}\n"


def contents(made: Iterable[Part], there: Iterable[str]) -> Iterator[str]:
    """Yield a line for each part."""
    names = set(there)
    for part in made:
        is_missing = f"{part.name}.not-there.txt" in names
        yield f"  {part.name:<22}  {part.about}{' (not there)' if is_missing else ''}"


def save(path: Path, texts: dict[str, str]) -> None:
    """Write texts as one archive that appears whole, and never over another. Raises OSError."""
    folder = path.name.removesuffix(".gz").removesuffix(".tar").removesuffix(".tgz")
    beside = path.absolute().parent
    remove_leftovers(beside, ".doctor-")
    with temporary(beside, ".doctor-") as (descriptor, name):
        with os.fdopen(os.dup(descriptor), "wb") as file:
            with tarfile.open(fileobj=file, mode="w:gz") as archive:
                for inside, text in texts.items():
                    # Somebody will read it in a terminal.
                    content = printable_lines(text, WHOLE).encode()
                    entry = tarfile.TarInfo(f"{folder}/{printable(inside)}")
                    entry.size, entry.mode, entry.mtime = len(content), 0o600, int(time.time())
                    archive.addfile(entry, io.BytesIO(content))
            file.flush()
            os.fsync(file.fileno())
        give_to_owner(descriptor, beside)
        _name(name, path)


def _name(temporary: str, path: Path) -> None:
    """Give the file its name; unlike a rename, a link refuses one that is taken."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:
        # Not every file system has links.
        os.rename(temporary, path)
