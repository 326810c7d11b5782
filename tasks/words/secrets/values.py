"""Where a value ends: quoted in any way, nested, over several lines, or bare."""

from __future__ import annotations

import re
from collections.abc import Callable

# (begin, end) of what has to go; an empty one where there is nothing.
Span = tuple[int, int]
NOTHING: Span = (0, 0)
# Tells where the secret is that a pattern found the beginning of.
Find = Callable[[re.Match[str]], Span]
# How far an end is looked for that may be missing: such a look does not take what it read.
NEAR = 4096
NESTED = 8192
_OPENER = re.compile(r"(\\{0,8})(\"\"\"|'''|[\"'`])")
# Up to a break, a quote or a delimiter; a delimiter inside of a value is followed by more of it.
_BARE = re.compile(
    r"(?:[^\s,;&}\])\"'`\\<>]|\\[^\"'`\s]|\\(?=\s)."
    r"|[,;&}\])<>](?![\s,;&{}\[\])\"'`\\<>]|\Z|[\w.-]{1,40}\s?[=:])"
    r"|[\"'`](?![\s,;:&{}\[\])\"'`\\<>]|\Z))+"
)
# 'it'"'"'s': behind a quote more follows without a blank; JSON and CSV have a delimiter there.
_JOINED = re.compile(r"(?P<quote>[\"'`])(?=[^\s,;:&}\])])|[\w$\\%+/-][^\s,;&}\])\"'`]*")
_LINE = re.compile(r"[^\r\n]*")
# YAML: nothing more in this line, or only the marks of a block, a tag or a comment.
_BLOCK = re.compile(r"(?:[|>][+\-\d]{0,2}|[!&]\S{1,40})?[ \t]*(?:#[^\n]*)?\r?\n")
_WORD_ALONE = re.compile(r"[ \t]*([^\s:]+)[ \t]*(?:\r?\n|\Z)")
_BRACKETS = re.compile(r"\\.|[\"'{}\[\]\n]", re.DOTALL)


def value_span(text: str, at: int) -> Span:
    """Return where the value is that begins at a place."""
    opener = _OPENER.match(text, at)
    if opener:
        return _quoted(text, opener)
    if text[at : at + 1] in ("{", "["):
        return at, _nested_end(text, at)
    bare = _BARE.match(text, at)
    return bare.span() if bare else (at, at)


def line_span(text: str, at: int) -> Span:
    """Return the rest of a line, without the blanks at its end."""
    found = _LINE.match(text, at)
    return at, at + len(found[0].rstrip()) if found else at


def block_span(text: str, at: int, indent: int) -> Span:
    """Return the lines below that are part of a value, by their indentation, as YAML has them.

    Where there are none: the one word that stands alone in the next line.
    """
    begin = _BLOCK.match(text, at)
    if not begin:
        return at, at
    end = line = begin.end()
    while line < len(text):
        after = text.find("\n", line) + 1 or len(text)
        content = text[line:after]
        depth = len(content) - len(content.lstrip(" \t"))
        if content.strip():
            if depth <= indent and not (depth == indent and content.startswith("- ", depth)):
                break
            end = after
        line = after
    if end > begin.end():
        return begin.end(), end - text.endswith("\n", begin.end(), end)
    alone = _WORD_ALONE.match(text, end)
    return alone.span(1) if alone else (at, at)


def _quoted(text: str, opener: re.Match[str]) -> Span:
    """Return what is between quotes; with the quotes, where more is joined as shells join words."""
    close = _close(text, opener)
    if close < 0:
        return opener.start(), line_span(text, opener.start())[1]
    end = close + len(opener[0])
    if opener[1] or len(opener[2]) == 3 or not _JOINED.match(text, end):
        return opener.end(), close
    while joined := _JOINED.match(text, end):
        if joined["quote"]:
            more = _OPENER.match(text, end)
            close = _close(text, more) if more else -1
            end = close + len(joined["quote"]) if close >= 0 else line_span(text, end)[1]
        else:
            end = joined.end()
    return opener.start(), end


def _close(text: str, opener: re.Match[str]) -> int:
    """Return where the closing quote is; -1 where there is none."""
    escapes, quote = opener.groups()
    if len(quote) == 3:
        found = _unescaped(text, quote, opener.end(), len(text))
        return len(text) if found < 0 else found
    if escapes:
        # Exactly so many: more of them are of a quote within.
        same = re.compile(rf"(?<!\\)\\{{{len(escapes)}}}{quote}")
        near = same.search(text, opener.end(), opener.end() + NEAR)
        return near.start() if near else -1
    found = _unescaped(text, quote, opener.end(), opener.end() + NEAR)
    if found >= 0:
        return found
    return _unescaped(text, quote, opener.end(), line_span(text, opener.end())[1])


def _unescaped(text: str, quote: str, at: int, limit: int) -> int:
    while True:
        found = text.find(quote, at, limit)
        if found < 0:
            return -1
        before = found
        while before > at and text[before - 1] == "\\":
            before -= 1
        if (found - before) % 2 == 0:
            return found
        at = found + 1


def _nested_end(text: str, at: int) -> int:
    """Return where a table or list ends; one without an end goes so far as it was read."""
    depth, quote, limit = 0, "", min(len(text), at + NESTED)
    for found in _BRACKETS.finditer(text, at, limit):
        mark = found[0]
        if quote:
            quote = "" if mark in (quote, "\n") else quote
        elif mark in "\"'":
            quote = mark
        elif mark in "{[":
            depth += 1
        elif mark in "}]":
            depth -= 1
            if not depth:
                return found.end()
    return limit
