"""The one way out: texts that we did not write, before a terminal, a log or a file shows them.

A version, a model's name, a label, the last words of a container or an answer of a chat may hold
escapes that drive a terminal (titles, clipboard, cursor), controls that turn the direction of a
line, or lone surrogates that no file can hold. Source: ECMA-48; Unicode UAX #9.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

# Longer than any sentence of ours; a foreign text beyond it is cut.
LONGEST = 4000
# The limit of what is shown in full: others see to its size, or a person asked for all of it.
WHOLE = sys.maxsize
CUT = " …"
# Whole escape sequences go: CSI (colours, cursor), OSC, DCS, APC, PM, SOS with what they carry up
# to their end, or to the end of the line where they have none, and escapes of two or three bytes.
_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
# C0 and C1 controls, DEL, and what is not seen or turns the direction of what follows.
_UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff"
)
_BREAKS = re.compile("[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]+")
_CONTROLS = re.compile(f"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff{_UNSEEN}]")
_LINE_CONTROLS = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff{_UNSEEN}]")
# What joins letters (Persian, Hindi) and emoji: in prose it belongs to the words, in a name it
# only makes two names look the same.
_JOINING = "\u200c\u200d\ufe0e\ufe0f"
_PROSE_CONTROLS = re.compile(f"(?![{_JOINING}]){_LINE_CONTROLS.pattern}")
_NOT_ASCII = re.compile("[^\n -~]")


def printable(text: object, limit: int = LONGEST) -> str:
    """Return a foreign text as one line that a terminal only shows; `limit` is in characters.

    Breaks of lines become blanks, escape sequences go, other controls become "?".
    """
    one_line = _BREAKS.sub(" ", _SEQUENCES.sub("", str(text)))
    return _cut(_CONTROLS.sub("?", one_line), limit)


def printable_lines(text: object, limit: int = LONGEST * 100, *, is_prose: bool = False) -> str:
    """Return a foreign text of several lines, as `printable` does, with its "\\n" and tabs.

    `is_prose`: an answer in some language, whose letters and emoji may be joined.
    """
    controls = _PROSE_CONTROLS if is_prose else _LINE_CONTROLS
    return _cut(controls.sub("?", _SEQUENCES.sub("", str(text).replace("\r\n", "\n"))), limit)


def json_text(value: Any, *, indent: int | None = None, is_ascii: bool = True) -> str:
    """Return JSON that a terminal only shows: what nobody may see is escaped, the values stay.

    Lone surrogates become U+FFFD, since no text can hold them.
    """
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return (_NOT_ASCII if is_ascii else _LINE_CONTROLS).sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: max(0, limit - len(CUT))] + CUT
