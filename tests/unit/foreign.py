"""Texts as an enemy would write them, and what has to be true of whatever shows them."""

from __future__ import annotations

import unicodedata

from hypothesis import strategies as st

# Read as Rich's or Textual's markup these are styles, links, actions, or errors.
MARKUP = ("[/]", "[/x]", "[bold]", "[link=https://e.vil]", "[@click=app.quit]", "\\[", ":smile:")
DRIVING = (
    "\x1b]0;owned\x07",
    "\x1b]52;c;Zm9v\x1b\\",
    "\x1b[2J",
    "\x1b[31m",
    "\x1b",
    "\x9b1m",
    "\x9d",
    "\u202e",
    "\u2066",
    "\u200f",
    "\x00",
    "\r",
    "\n",
    "\x85",
    "\u2028",
    "\x7f",
    "\ud800",
)
TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
# All of it at once, and yet one text.
WORST = "".join(f"{driving}{n}" for n, driving in enumerate(DRIVING)) + "".join(MARKUP)

foreign = st.lists(
    st.sampled_from((*DRIVING, *MARKUP, "0.24.0", "größer 模型"))
    | st.text(st.characters(codec=None), max_size=4),
    max_size=6,
).map("".join)


def assert_only_shown(text: str) -> None:
    """Fail where anything is left that a terminal obeys, that nobody sees or nothing can hold."""
    rest = text.replace("\n", "").replace("\t", "")
    assert not {unicodedata.category(c) for c in rest} & {"Cc", "Cs", "Zl", "Zp"}, repr(text)
    assert not {unicodedata.bidirectional(c) for c in rest} & TURNING, repr(text)


def assert_literal(text: str) -> None:
    """Fail where any markup was not shown as it is; lines may have been folded anywhere."""
    joined = "".join(text.split())
    assert [one for one in MARKUP if one not in joined] == []
