"""JSON with comments and trailing commas, edited by ranges of its text.

What is not edited stays byte for byte: comments, order, blanks, line ends. No kept Python library
edits this dialect in place: those that keep comments read JSON5, which the clients refuse, or write
the whole text anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tasks.clients import messages
from tasks.clients.limits import DEEPEST, Budget
from tasks.clients.textdoc import (
    MISSING,
    Encoding,
    Invalid,
    Path,
    end_of_line,
    indentation,
    line_of,
    quoted,
    start_of_line,
)
from tasks.words.messages import Text

# A file of LARGEST takes 0.2 s with so many, and all edits of one some 3 s.
MOST_VALUES, MOST_WORK = 50_000, 600_000
_BLANK = re.compile(r"(?:[ \t\r\n]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(r'"[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*"')
_WORD = re.compile(r"[^\s\[\]{},:\"/]+")
_UNIT = "  "


@dataclass
class Node:
    """A value in the text, from `start` to `end`; `members` are an object's or an array's."""

    start: int
    end: int
    value: Any = None
    kind: str = "scalar"
    members: list[Member] = field(default_factory=list)

    def member(self, key: str) -> Member | None:
        """Return the member of an object by its key."""
        return next((m for m in self.members if m.key == key), None)


@dataclass
class Member:
    """One member: where it begins (its key), its value, and the comma behind it, -1 for none."""

    key: str
    start: int
    node: Node
    comma: int = -1


class _Parser:
    def __init__(self, text: str, budget: Budget) -> None:
        self.text, self.budget = text, budget
        self.values = 0

    def document(self) -> Node | None:
        """Parse the text; None where there are only blanks and comments."""
        at = self._skip(0)
        if at == len(self.text):
            return None
        node = self._value(at, 0)
        at = self._skip(node.end)
        if at != len(self.text):
            raise self._invalid(at, messages.MORE_FOLLOWS())
        return node

    def _invalid(self, at: int, reason: Text) -> Invalid:
        return Invalid(line_of(self.text, at), reason)

    def _skip(self, at: int) -> int:
        match = _BLANK.match(self.text, at)
        end = match.end() if match else at
        if self.text.startswith("/*", end):
            raise self._invalid(end, messages.OPEN_COMMENT())
        return end

    def _value(self, at: int, depth: int) -> Node:
        if depth > DEEPEST:
            raise self._invalid(at, messages.DEEP(levels=DEEPEST))
        self.values += 1
        if self.values > self.budget.values:
            self.budget.check(line_of(self.text, at), self.values)
        found = self.text[at : at + 1]
        if found == "{":
            return self._container(at, depth, "object", "}")
        if found == "[":
            return self._container(at, depth, "array", "]")
        match = _STRING.match(self.text, at) if found == '"' else _WORD.match(self.text, at)
        if match is None:
            what = messages.OPEN_TEXT() if found == '"' else messages.NO_VALUE()
            raise self._invalid(at, what)
        try:
            value = json.loads(match[0], parse_constant=_no_constant)
        except ValueError:
            # Which one is not said: it may be a secret.
            raise self._invalid(at, messages.NO_JSON_VALUE()) from None
        return Node(at, match.end(), value)

    def _container(self, at: int, depth: int, kind: str, closing: str) -> Node:
        node = Node(at, at, {} if kind == "object" else [], kind)
        position = self._skip(at + 1)
        while not self.text.startswith(closing, position):
            if position == len(self.text):
                raise self._invalid(at, messages.OPEN_BRACKET(bracket=self.text[at]))
            if node.members and node.members[-1].comma < 0:
                raise self._invalid(position, messages.NO_COMMA())
            member = self._member(node, position, depth)
            node.members.append(member)
            position = self._skip(member.node.end)
            if self.text.startswith(",", position):
                member.comma = position
                position = self._skip(position + 1)
        node.end = position + 1
        return node

    def _member(self, node: Node, at: int, depth: int) -> Member:
        if node.kind == "array":
            member = Member("", at, self._value(at, depth + 1))
            node.value.append(member.node.value)
            return member
        match = _STRING.match(self.text, at)
        if match is None:
            raise self._invalid(at, messages.NO_KEY())
        try:
            key = json.loads(match[0])
        except ValueError:
            raise self._invalid(at, messages.NO_JSON_KEY()) from None
        if key in node.value:
            raise self._invalid(at, messages.KEY_TWICE(key=quoted(key)))
        position = self._skip(match.end())
        if not self.text.startswith(":", position):
            raise self._invalid(position, messages.NO_COLON(key=quoted(key)))
        value = self._value(self._skip(position + 1), depth + 1)
        node.value[key] = value.value
        return Member(key, at, value)


def _no_constant(name: str) -> Any:
    raise ValueError(name)


class JsoncDocument:
    """A document in JSONC, whose root is an object. Raises Invalid."""

    def __init__(self, content: bytes) -> None:
        self.encoding, self.text = Encoding.read(content)
        self.budget = Budget(MOST_VALUES, MOST_WORK)
        self.root = self._parsed()

    def _parsed(self) -> Node | None:
        parser = _Parser(self.text, self.budget)
        root = parser.document()
        self.budget.spend(parser.values, len(self.text))
        if root is not None and root.kind != "object":
            raise Invalid(line_of(self.text, root.start), messages.NO_OBJECT())
        return root

    def get(self, path: Path) -> Any:
        """Return the value at a path; MISSING where there is none."""
        value: Any = self.root.value if self.root is not None else {}
        for key in path:
            if not isinstance(value, dict) or key not in value:
                return MISSING
            value = value[key]
        return value

    def can_hold(self, path: Path) -> bool:
        """Tell whether nothing above a path is something else than an object."""
        above = (self.get(path[:depth]) for depth in range(1, len(path)))
        return all(value is MISSING or isinstance(value, dict) for value in above)

    def set(self, path: Path, value: Any) -> list[Path]:
        """Set a value; returns the parents that had to be made."""
        if self.root is None:
            self._append_root()
        node, rest = [*self._walk(path)][-1]
        if not rest:
            is_flat = node.kind != "scalar" and "\n" not in self.text[node.start : node.end]
            indent = indentation(self.text, node.start)
            text = _flat(value) if is_flat and node.members else self._rendered(value, indent)
            self._replace(node.start, node.end, text)
            return []
        made = [path[: len(path) - depth] for depth in range(1, len(rest))]
        for key in reversed(rest[1:]):
            value = {key: value}
        self._insert(node, rest[0], value)
        return list(reversed(made))

    def remove(self, path: Path) -> None:
        """Take a value out, if it is there."""
        if self.get(path) is MISSING:
            return
        parent, _ = [*self._walk(path)][-2]
        member = parent.member(path[-1])
        if member is not None:
            self._take_out(parent, member)

    @property
    def is_blank(self) -> bool:
        """Tell whether there is nothing but an empty object and blanks."""
        return not re.sub(r"[\s{}]", "", self.text)

    def to_bytes(self) -> bytes:
        """Return the whole document."""
        return self.encoding.write(self.text)

    def _walk(self, path: Path) -> Iterator[tuple[Node, list[str]]]:
        """Yield the nodes along a path, each with the keys that are left."""
        node, rest = self.root or Node(0, 0, {}, "object"), [*path]
        yield node, rest
        while rest:
            member = node.member(rest[0])
            if member is None:
                return
            node, rest = member.node, rest[1:]
            yield node, rest

    def _append_root(self) -> None:
        gap = "" if not self.text or self.text.endswith("\n") else self.encoding.newline
        self.text += f"{gap}{{}}{self.encoding.newline}"
        self.root = self._parsed()

    def _insert(self, node: Node, key: str, value: Any) -> None:
        outer = indentation(self.text, node.start)
        if not node.members:
            self._insert_first(node, key, value, outer)
            return
        last = node.members[-1]
        if "\n" not in self.text[node.start : last.start]:
            # All on one line: so is what is added.
            comma = ", " if last.comma < 0 else " "
            at = (last.comma if last.comma >= 0 else last.node.end - 1) + 1
            habit = "," if last.comma >= 0 else ""
            self._replace(at, at, f"{comma}{_flat(key)}: {_flat(value)}{habit}")
            return
        inner = indentation(self.text, last.start)
        at = self._behind(last)
        text = f"{self.encoding.newline}{inner}{_flat(key)}: {self._rendered(value, inner)}"
        if last.comma >= 0:
            self._replace(at, at, f"{text},")
        else:
            end = last.node.end
            self._replace(end, at, f",{self.text[end:at]}{text}")

    def _behind(self, member: Member) -> int:
        """Return the end of a member's line, if only a comment follows on it, else its own end."""
        end = (member.comma if member.comma >= 0 else member.node.end - 1) + 1
        line_end = end_of_line(self.text, end)
        follows = self.text[end:line_end].strip()
        is_comment = follows.startswith("//") or (
            follows.startswith("/*") and follows.find("*/") == len(follows) - 2
        )
        return line_end if not follows or is_comment else end

    def _insert_first(self, node: Node, key: str, value: Any, outer: str) -> None:
        inner, newline = outer + self._unit(), self.encoding.newline
        between = self.text[node.start + 1 : node.end - 1]
        kept = between.rstrip()
        text = f"{newline}{inner}{_flat(key)}: {self._rendered(value, inner)}"
        closing = between[len(kept) :]
        closing = closing if kept and "\n" in closing else f"{newline}{outer}"
        self._replace(node.start + 1, node.end - 1, f"{kept}{text}{closing}")

    def _take_out(self, parent: Node, member: Member) -> None:
        index = parent.members.index(member)
        before = parent.members[index - 1] if index else None
        end = (member.comma if member.comma >= 0 else member.node.end - 1) + 1
        start = start_of_line(self.text, member.start)
        is_alone = not self.text[start : member.start].strip() and start > parent.start
        if is_alone and not self.text[end : end_of_line(self.text, end)].strip():
            # With the newline before it, so that what stands behind it stays where it is.
            cut = start - len(self.encoding.newline) if start else start
            cut = max(cut, parent.start + 1)
        elif member.comma >= 0:
            cut, end = member.start, self._past_blanks(end)
        else:
            cut = before.comma if before is not None else member.start
        text = self.text[:cut] + self.text[end:]
        is_last = index == len(parent.members) - 1
        if before is not None and is_last and member.comma < 0 and before.comma < cut:
            text = text[: before.comma] + text[before.comma + 1 :]
        self.text = text
        self.root = self._parsed()
        self._close(parent.start)

    def _past_blanks(self, at: int) -> int:
        while self.text[at : at + 1] in (" ", "\t"):
            at += 1
        return at

    def _close(self, start: int) -> None:
        """Write an object that became empty as {}."""
        found = re.compile(r"\{\s*\}").match(self.text, start)
        if found:
            self._replace(start, found.end(), "{}")

    def _unit(self) -> str:
        """Return one step of the document's own indentation."""
        # What the first line begins with is none, and members on one line begin alike.
        line_end = end_of_line(self.text, 0)
        for member in self.root.members if self.root is not None else ():
            if member.start > line_end:
                found = indentation(self.text, member.start)
                if found:
                    return found
                line_end = end_of_line(self.text, member.start)
        return _UNIT

    def _rendered(self, value: Any, indent: str) -> str:
        """Return a value as text whose further lines are indented."""
        text = json.dumps(value, indent=self._unit(), ensure_ascii=False)
        return text.replace("\n", f"{self.encoding.newline}{indent}")

    def _replace(self, start: int, end: int, text: str) -> None:
        self.text = self.text[:start] + text + self.text[end:]
        self.root = self._parsed()


def _flat(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
