"""YAML that a user wrote, read once into nodes with marks and into values, within limits.

An alias stands for all that its anchor holds: nine of nine of nine of them are millions of values
in a few lines, and one may stand inside its own anchor.
"""

from __future__ import annotations

from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from tasks.clients import messages
from tasks.clients.limits import DEEPEST, Budget
from tasks.clients.textdoc import LONGEST_QUOTE, Invalid
from tasks.words.printable import printable

TOO_DEEP = messages.DEEP(levels=DEEPEST)
# How large what a node stands for is: how many values, on how many levels.
Size = tuple[int, int]


def reader() -> YAML:
    """Return a reader of plain values."""
    return YAML(typ="safe", pure=True)


def read(text: str, budget: Budget) -> tuple[Any, Any]:
    """Return the root node, with marks, and its value; None for both where there is nothing.

    Raises Invalid.
    """
    try:
        return _read(text, budget)
    except Invalid:
        raise
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        reason = str(error.problem or error.context or "is no YAML")
        # A value may be a secret.
        words = printable(reason.partition(" with value ")[0], LONGEST_QUOTE)
        raise Invalid(line, messages.YAML(words=words)) from None
    except RecursionError:
        raise Invalid(1, messages.TOO_DEEP()) from None
    except Exception as error:
        # What a tag makes of a value that is not for it ends in whatever it ends in.
        words = printable(_first_line(error), LONGEST_QUOTE)
        raise Invalid(1, messages.NO_YAML(words=words)) from None


def _read(text: str, budget: Budget) -> tuple[Any, Any]:
    yaml = reader()
    yaml.Composer = Bounded
    yaml.composer.budget = budget
    root = yaml.compose(text)
    budget.spend(yaml.composer.values, len(text))
    if root is None:
        return None, None
    _check_aliases(root, budget, {})
    # It writes what is merged into the nodes that it is given.
    return root, yaml.constructor.construct_document(_copied(root, {}))


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).split("\n", 1)[0]


class Bounded(Composer):
    """Composes no more nodes than its budget has, and none that is too deep."""

    budget: Budget

    def __init__(self, loader: Any = None) -> None:
        super().__init__(loader)
        self.values, self.level = 0, 0
        # It would be told on stderr.
        self.warn_double_anchors = False

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose a node and all in it. Raises Invalid."""
        self.values += 1
        if self.values > self.budget.values:
            self.budget.check(self._line(), self.values)
        if self.level >= DEEPEST:
            raise Invalid(self._line(), TOO_DEEP)
        self.level += 1
        node = super().compose_node(parent, index)
        self.level -= 1
        return node

    def _line(self) -> int:
        return int(self.parser.peek_event().start_mark.line) + 1


def _check_aliases(node: Node, budget: Budget, sizes: dict[int, Size | None]) -> Size:
    """Return how large a node is with all aliases written out. Raises Invalid.

    An anchor stands before its aliases, so its size is known by then, or it holds the alias itself.
    """
    line = node.start_mark.line + 1
    if id(node) in sizes:
        known = sizes[id(node)]
        if known is None:
            raise Invalid(line, messages.ALIAS_LOOP())
        return known
    sizes[id(node)] = None
    inner = [_check_aliases(child, budget, sizes) for child in _children(node)]
    values = 1 + sum(size[0] for size in inner)
    depth = 1 + max((size[1] for size in inner), default=0)
    budget.check(line, values)
    if depth > DEEPEST:
        raise Invalid(line, TOO_DEEP)
    sizes[id(node)] = values, depth
    return values, depth


def _children(node: Node) -> list[Node]:
    if isinstance(node, MappingNode):
        return [one for pair in node.value for one in pair]
    return list(node.value) if isinstance(node, SequenceNode) else []


def _copied(node: Node, copies: dict[int, Node]) -> Node:
    if not isinstance(node, MappingNode | SequenceNode):
        return node
    if id(node) not in copies:
        if isinstance(node, MappingNode):
            value: list[Any] = [(_copied(k, copies), _copied(v, copies)) for k, v in node.value]
        else:
            value = [_copied(child, copies) for child in node.value]
        made = type(node)(node.ctag, value, node.start_mark, node.end_mark, node.flow_style)
        copies[id(node)] = made
    return copies[id(node)]
