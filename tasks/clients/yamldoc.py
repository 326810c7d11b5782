"""YAML, edited by ranges of its text, which ruamel.yaml tells.

What the stack sets in the YAML files of clients is plain: scalars of the root mapping, and mappings
in a list, each known by one of its keys. All else stays byte for byte.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tasks.clients import messages
from tasks.clients.entries import Item, is_item
from tasks.clients.limits import Budget
from tasks.clients.textdoc import (
    MISSING,
    Encoding,
    Invalid,
    Path,
    end_of_line,
    start_of_line,
)
from tasks.clients.yamlread import read, reader

# So many values take 0.5 s, and all edits of one file some 5 s.
MOST_VALUES, MOST_WORK = 20_000, 150_000


class YamlDocument:
    """A document in YAML, whose root is a mapping or a list. Raises Invalid."""

    def __init__(self, content: bytes) -> None:
        self.encoding, self.text = Encoding.read(content)
        self.budget = Budget(MOST_VALUES, MOST_WORK)
        self._parse()

    def _parse(self) -> None:
        self.root, self.value = read(self.text, self.budget)
        if isinstance(self.root, ScalarNode) and self.value is None:
            self.root = None
        if self.root is not None and not isinstance(self.root, MappingNode | SequenceNode):
            raise Invalid(1, messages.NO_MAPPING())

    def _edited(self) -> None:
        """Read what an edit made: what is no YAML then was none that can be edited so."""
        try:
            self._parse()
        except Invalid as error:
            reason = error.reason if self.budget.work < 0 else messages.UNSAFE()
            raise Invalid(1, reason) from None

    def get(self, path: Path) -> Any:
        """Return the value at a path; MISSING where there is none."""
        value: Any = self.value
        for key in path:
            value = _step(value, key)
        return value

    def can_hold(self, path: Path) -> bool:
        """Tell whether a value may be set at a path: nothing above it is something else."""
        value: Any = self.value
        for key in path:
            if value is MISSING or value is None:
                return True
            wanted = list if isinstance(key, Item) else dict
            if not isinstance(value, wanted):
                return False
            value = _step(value, key)
        return True

    def set(self, path: Path, value: Any) -> list[Path]:
        """Set a value; returns the parents that had to be made."""
        if self.get(path) is not MISSING:
            self._replace_value(self._node(path), value)
            return []
        *above, key = path
        if not isinstance(key, Item):
            self._append_key(key, f" {_scalar(value)}")
            return []
        made = []
        if above and self.get(tuple(above)) in (MISSING, None, []):
            if self.get(tuple(above)) is MISSING:
                made = [tuple(above)]
            self._begin_list(above[0], value)
        elif not above and self.root is None:
            self._append(f"{self._item(value, 0)}")
        else:
            self._append_item(self._node(tuple(above)), value)
        return made

    def remove(self, path: Path) -> None:
        """Take a value out, if it is there."""
        if self.get(path) is MISSING:
            return
        *above, key = path
        node, parent = self._node(path), self._node(tuple(above))
        if parent.flow_style:
            self._remove_flow(parent, node)
        elif not isinstance(key, Item):
            name = self._key_node(key)
            end = max(self._end(node), self._behind(name)) if self._is_written(node) else 0
            self._cut_lines(name.start_mark.index, end or self._behind(name))
        elif len(parent.value) == 1 and above:
            self._cut(self._behind(self._key_node(above[0])), self._end(node), " []")
        else:
            self._cut_lines(node.start_mark.index, self._end(node))
        self._edited()

    @property
    def is_blank(self) -> bool:
        """Tell whether there is no value left."""
        return self.value in (None, {}, [])

    def to_bytes(self) -> bytes:
        """Return the whole document."""
        return self.encoding.write(self.text)

    def _node(self, path: Path) -> Any:
        """Return the node at a path. Raises Invalid where the value came by a merge or an alias."""
        node = self.root
        for key in path:
            pairs = node.value if isinstance(node, MappingNode) else ()
            items = node.value if isinstance(node, SequenceNode) else ()
            if isinstance(key, Item):
                named = (one for one in items if _scalars(one).get(key.key) == key.value)
                node = _first(named)
            else:
                node = _first(child for name, child in pairs if name.value == key)
        return node

    def _key_node(self, key: str) -> Any:
        pairs = self.root.value if isinstance(self.root, MappingNode) else ()
        return _first(name for name, _ in pairs if name.value == key)

    def _behind(self, key_node: Node) -> int:
        """Return the offset behind the colon of a key."""
        return self.text.index(":", key_node.end_mark.index) + 1

    def _end(self, node: Any) -> int:
        """Return where a node's own text ends; its mark may stand behind comments that follow."""
        if isinstance(node, ScalarNode) or node.flow_style:
            start, end = int(node.start_mark.index), int(node.end_mark.index)
            return start + len(self.text[start:end].rstrip())
        last = node.value[-1] if node.value else None
        if last is None:
            return int(node.start_mark.index)
        if isinstance(last, tuple):
            return max(self._end(last[1]), self._behind(last[0]))
        return self._end(last)

    def _replace_value(self, node: Any, value: Any) -> None:
        start, end = node.start_mark.index, self._end(node)
        if isinstance(value, dict) and not node.flow_style:
            column = start - start_of_line(self.text, start)
            text = self._block(value, column)
        elif isinstance(value, dict | list):
            text = json.dumps(value, ensure_ascii=False)
        else:
            text = _scalar(value)
        self._cut(start, end, text)
        self._edited()

    def _append_key(self, key: str, text: str) -> None:
        if isinstance(self.root, MappingNode) and self.root.flow_style:
            self._append_flow(self.root, f"{key}:{text}")
        else:
            self._append(f"{key}:{text}")

    def _append_flow(self, node: Any, text: str) -> None:
        """Append to a mapping or a list in brackets."""
        end = node.end_mark.index - 1
        has_comma = self.text[:end].rstrip().endswith(",")
        comma = "" if not node.value else " " if has_comma else ", "
        self._cut(end, end, f"{comma}{text}")
        self._edited()

    def _append(self, text: str) -> None:
        """Append lines to the root."""
        newline = self.encoding.newline
        if self.root is not None:
            end = end_of_line(self.text, self._end(self.root))
            self._cut(end, end, f"{newline}{text}")
        else:
            # The value of an empty document is no value: {} and [] have to go for one.
            bare = self.text.rstrip()
            gap = newline if self.text and not self.text.endswith("\n") else ""
            self.text = f"{self.text}{gap}{text}{newline}" if bare or gap else f"{text}{newline}"
        self._edited()

    def _begin_list(self, key: str, value: Any) -> None:
        lines = f"{self.encoding.newline}{self._item(value, 2)}"
        flow = json.dumps([value], ensure_ascii=False)
        if self.get((key,)) is MISSING:
            self._append_key(key, f" {flow}" if self.root and self.root.flow_style else lines)
            return
        node = self._node((key,))
        start = self._behind(self._key_node(key))
        end = self._end(node) if self._is_written(node) else start
        self._cut(start, end, f" {flow}" if self.root.flow_style else lines)
        self._edited()

    def _is_written(self, node: Any) -> bool:
        """Tell a value from one that is left out: a key with nothing behind it."""
        return bool(self.text[node.start_mark.index : node.end_mark.index].strip())

    def _append_item(self, node: Any, value: Any) -> None:
        if node.flow_style:
            self._append_flow(node, json.dumps(value, ensure_ascii=False))
            return
        end = end_of_line(self.text, self._end(node))
        # The mark of a list is its first dash.
        self._cut(end, end, f"{self.encoding.newline}{self._item(value, node.start_mark.column)}")
        self._edited()

    def _remove_flow(self, parent: Any, node: Any) -> None:
        """Take out of a mapping or a list in brackets, with the comma that parts it from others."""
        ranges = [
            (child[0].start_mark.index, child[1].end_mark.index)
            if isinstance(child, tuple)
            else (child.start_mark.index, child.end_mark.index)
            for child in parent.value
        ]
        index = next(
            i
            for i, child in enumerate(parent.value)
            if node is (child[1] if isinstance(child, tuple) else child)
        )
        start, end = ranges[index]
        if index:
            start = ranges[index - 1][1]
        elif len(ranges) > 1:
            end = ranges[1][0]
        self._cut(start, end, "")

    def _item(self, value: Any, column: int) -> str:
        return f"{' ' * column}- {self._block(value, column + 2)}"

    def _block(self, value: dict[str, Any], column: int) -> str:
        """Return a mapping as block text; its further lines begin at a column."""
        writer = YAML()
        writer.indent(mapping=2, sequence=4, offset=2)
        writer.width = 10_000
        made = io.StringIO()
        writer.dump(value, made)
        text = made.getvalue().rstrip("\n")
        return text.replace("\n", f"{self.encoding.newline}{' ' * column}")

    def _cut_lines(self, start: int, end: int) -> None:
        """Take out the lines of a range; what stands behind it on its last line goes as well."""
        begin, stop = start_of_line(self.text, start), end_of_line(self.text, end)
        if begin:
            begin -= len(self.encoding.newline)
        elif self.text[stop : stop + 1]:
            stop += len(self.encoding.newline)
        self._cut(begin, stop, "")

    def _cut(self, start: int, end: int, text: str) -> None:
        self.text = self.text[:start] + text + self.text[end:]


def _first(nodes: Iterator[Any]) -> Any:
    found = next(nodes, None)
    if found is None:
        raise Invalid(1, messages.UNSAFE())
    return found


def _scalars(node: Any) -> dict[str, Any]:
    """Return the scalars of a mapping node, by key."""
    pairs = node.value if isinstance(node, MappingNode) else ()
    return {
        k.value: v.value
        for k, v in pairs
        if isinstance(k, ScalarNode) and isinstance(v, ScalarNode)
    }


def _step(value: Any, key: Any) -> Any:
    if isinstance(key, Item):
        found = value if isinstance(value, list) else ()
        return next((v for v in found if is_item(v, key)), MISSING)
    return value.get(key, MISSING) if isinstance(value, dict) else MISSING


def _scalar(value: Any) -> str:
    """Return a scalar as YAML; what is not plain is quoted as in JSON."""
    if isinstance(value, str):
        try:
            is_plain = reader().load(value) == value and "#" not in value and ": " not in value
        except (YAMLError, ValueError):
            is_plain = False
        return value if is_plain else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)
