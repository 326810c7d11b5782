"""What the stack wants to stand in a client's file: paths and values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Entry:
    """One value at a path. `is_default`: only where a person set nothing else.

    `service` is the one that the value tells of, "" where it is of all. `needs` are other paths
    without which, as ours, this one says nothing.
    """

    path: tuple[Any, ...]
    value: Any
    is_default: bool = False
    service: str = ""
    needs: tuple[tuple[Any, ...], ...] = ()


@dataclass(frozen=True)
class Item:
    """A step of a path into a list: the element whose `key` has this value."""

    key: str
    value: str


def is_item(value: Any, item: Item) -> bool:
    """Tell whether a value is the element that is meant."""
    return isinstance(value, dict) and value.get(item.key) == item.value
