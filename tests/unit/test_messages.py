"""Each cause and each remedy stands once, in the catalogue of its room, and is said from there."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from string import Formatter

from tests.unit.messages import catalogues, module_of, room_of, sources, uses

# Rooms whose causes and remedies stand in the code yet. This list only shrinks.
TO_DO = frozenset(
    {
        *("run", "containers", "registry", "servers", "services", "converge", "upgrade"),
        "console",
    }
)
# Where a value is made that holds a cause and a remedy: which arguments they are.
HOLDERS = {"Failure": (1, 2)}


def has_words(template: str) -> bool:
    """Tell whether there is more in a template than fields."""
    return any(words.strip(" ()") for words, _, _, _ in Formatter().parse(template))


def placeholders(template: str) -> set[str]:
    """Return the fields of a template."""
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


def test_no_two_messages_have_one_id_or_one_wording() -> None:
    messages = [message for found in catalogues().values() for message in found.values()]
    assert [i for i, n in Counter(m.id for m in messages).items() if n > 1] == []
    # What is another program's words wholly has none of ours.
    worded = [m.template for m in messages if has_words(m.template)]
    assert [t for t, n in Counter(worded).items() if n > 1] == []


def test_an_id_is_of_its_room_and_its_fields_are_plain_names() -> None:
    for path, found in catalogues().items():
        for message in found.values():
            assert re.fullmatch(rf"{room_of(path)}\.[a-z0-9]+(-[a-z0-9]+)*", message.id)
            assert all(name.isidentifier() for name in placeholders(message.template)), message


def test_messages_stand_in_catalogues_alone() -> None:
    made = {
        (module_of(path), node.lineno)
        for path, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Message"
        and path.name != "messages.py"
    }
    assert made == set()


def test_every_message_is_used_and_each_of_its_fields_is_filled() -> None:
    known = {
        (module_of(path), name): message
        for path, found in catalogues().items()
        for name, message in found.items()
    }
    seen = set()
    for use in uses():
        if (use.module, use.name) in known:
            seen.add((use.module, use.name))
            if use.fields is not None:
                wanted = placeholders(known[use.module, use.name].template)
                assert use.fields == wanted, f"{use.where}: {use.name}"
    assert {*known} - seen == set()


def failed_types() -> set[str]:
    """Return the names of all exceptions that carry a failure."""
    bases = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for tree in sources().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found = {"Failed"}
    while more := {name for name, above in bases.items() if above & found} - found:
        found |= more
    return found


def arguments() -> Iterator[tuple[str, str, ast.expr]]:
    """Yield what is given as a cause or as a remedy: where, in which room, and what."""
    holders = HOLDERS | dict.fromkeys(failed_types(), (0, 1))
    for path, tree in sources().items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            places = holders.get(node.func.id, ())
            given = [node.args[place] for place in places if place < len(node.args)]
            given += [k.value for k in node.keywords if places and k.arg in ("cause", "remedy")]
            for value in given:
                yield f"{path}:{value.lineno}", room_of(path), value


def test_no_cause_and_no_remedy_is_written_where_it_is_said() -> None:
    bare = {
        (where, room)
        for where, room, value in arguments()
        if isinstance(value, ast.Constant | ast.JoinedStr | ast.BinOp)
    }
    assert {where for where, room in bare if room not in TO_DO} == set()
