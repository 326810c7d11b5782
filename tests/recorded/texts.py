"""Every text of the source with a space in it, and which of them were rewritten on purpose.

Of an f-string it is the template: each value that is put in is "{}", with its format where it has
one, so that names of variables may change; of a message in a catalogue likewise. Documentation
strings are none of them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDERS = ("console", "deploys", "tasks")
_FIELD = re.compile(r"\{\w+((?:![rs])?(?::[^{}]*)?)\}")
WITH_DOCUMENTATION = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def texts_of(root: Path = ROOT) -> set[str]:
    """Return the texts of all folders, each in one line."""
    found: set[str] = set()
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            found.update(texts_in(path.read_text()))
    return found


def texts_in(source: str) -> Iterator[str]:
    """Yield the texts of a module, each in one line."""
    tree = ast.parse(source)
    left_out = set(_documentation(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            # Its parts are no texts of their own; what is put in may hold some.
            left_out.update(id(part) for part in _parts(node))
    for node in ast.walk(tree):
        if id(node) in left_out:
            continue
        text = ""
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Message":
            left_out.update(id(argument) for argument in node.args)
            text = _FIELD.sub(r"{\1}", ast.literal_eval(node.args[1]))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        elif isinstance(node, ast.JoinedStr):
            text = _template(node)
        if " " in text.strip():
            yield _in_one_line(text)


def _documentation(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, WITH_DOCUMENTATION) and ast.get_docstring(node, clean=False):
            first = node.body[0]
            assert isinstance(first, ast.Expr)
            yield id(first.value)


def _parts(node: ast.JoinedStr) -> Iterator[ast.AST]:
    for part in node.values:
        if isinstance(part, ast.Constant):
            yield part
        elif isinstance(part, ast.FormattedValue) and isinstance(part.format_spec, ast.JoinedStr):
            yield part.format_spec


def _template(node: ast.JoinedStr) -> str:
    return "".join(_piece(part) for part in node.values)


def _piece(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    assert isinstance(part, ast.FormattedValue)
    how = f"!{chr(part.conversion)}" if part.conversion != -1 else ""
    if isinstance(part.format_spec, ast.JoinedStr):
        how += f":{_template(part.format_spec)}"
    return f"{{{how}}}"


def _in_one_line(text: str) -> str:
    """Write a text as it stands between quotes; white space at its ends is seen by the quotes."""
    return repr(text)


@dataclass
class Rewritten:
    """What was changed on purpose: texts that went and texts that came; and what is not clear."""

    removed: set[str] = field(default_factory=set)
    added: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    @classmethod
    def parse(cls, text: str) -> Rewritten:
        """Read blocks of lines, with an empty line between them.

        A block begins with why ("# …"); then "- TEXT" went and "+ TEXT" came.
        """
        found, why = cls(), ""
        for number, line in enumerate(text.splitlines(), 1):
            mark, _, words = line.partition(" ")
            if not line.strip():
                why = ""
            elif mark == "#":
                why = words.strip() or why
            elif mark not in ("-", "+") or not words:
                found.faults.append(f'line {number}: begins with none of "# ", "- " and "+ "')
            elif not why:
                found.faults.append(f'line {number}: no "# why" stands above it in its block')
            else:
                found._take(number, mark, words)
        return found

    def _take(self, number: int, mark: str, words: str) -> None:
        mine, other = (self.removed, self.added) if mark == "-" else (self.added, self.removed)
        if words in other:
            # It came and went again, or the other way round: later blocks stand below.
            other.discard(words)
        elif words in mine:
            self.faults.append(f"line {number}: is there twice: {words}")
        else:
            mine.add(words)


def compare(recorded: set[str], now: set[str], rewritten: Rewritten) -> list[str]:
    """Return what is not in order, as lines to put into rewritten.txt, or to take out of it."""
    problems = [*rewritten.faults]
    gone, come = recorded - now - rewritten.removed, now - recorded - rewritten.added
    if gone or come:
        lines = [*(f"- {text}" for text in sorted(gone)), *(f"+ {text}" for text in sorted(come))]
        problems.append(
            "texts went or came, and nobody listed them. Where that was not meant, give the text"
            " back its words. Where it was, put this into tests/recorded/rewritten.txt, old beside"
            " new, below a line that says why:\n\n# WHY\n" + "\n".join(lines)
        )
    stale = [
        *(f"- {text}   (it is in the source, or was never recorded)"
          for text in sorted(rewritten.removed - (recorded - now))),
        *(f"+ {text}   (it is not in the source, or was recorded)"
          for text in sorted(rewritten.added - (now - recorded))),
    ]  # fmt: skip
    if stale:
        problems.append(
            "tests/recorded/rewritten.txt lists what is not so; take these lines out of it:\n\n"
            + "\n".join(stale)
        )
    return problems
