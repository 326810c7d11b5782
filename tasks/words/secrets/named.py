"""Secrets that have a name: in environments, TOML, YAML, JSON, XML, URLs and sentences."""

from __future__ import annotations

import re

from tasks.words.secrets.names import Strength, strength
from tasks.words.secrets.values import NOTHING, Find, Span, block_span, line_span, value_span

_NAMED = re.compile(
    r"(?<![\w.-])([\w.-]++)"
    r"((?:\\{0,8}[\"'`\])]){0,3}[ \t]*(?:=>|:=|[=:]{1,2}|%3[ADad])|[ \t]+(?:is|was)\b:?)[ \t]*"
)
# What a block of YAML begins with: how it is folded, or a tag.
MARKS = ("|", ">", "!", "&")
# So far before a name the beginning of its line is looked for.
_BEFORE = 64
_LINE_START = re.compile(r"([ \t]*)(?:[-+#>$] +|export +|set +){0,3}[\"']?\Z")
_OPEN_KEY = re.compile(r"(?i)(?:public|primary|foreign|apt|sort|hot)[ _-]\Z")
# No secrets under any name, and words that follow "the password is".
_NO_VALUE = re.compile(
    r"(?i)(?:true|false|null|none|nil|yes|no|on|off|undefined|unset|value\W*)?\Z"
)
_SAID = re.compile(
    r"(?i)(?:an?|the|not|no|too|never|only|now|in|on|of|by|for|to|at|set|unset|empty|missing|wrong"
    r"|needed|required|invalid|incorrect|correct|ok|good|bad|there|here|given|asked|wanted|kept"
    r"|sent|expired|shown|hidden|stored|used|public|private|what|that|this|one|known|unknown"
    r"|masked|removed)\b"
)
# "it wants a token: there is none": a sentence goes on.
_SENTENCE = re.compile(r"[a-z]{1,12}\Z")
_NUMBER = re.compile(r"-?\d{1,6}\Z")
# Fields of a GGUF file, which Ollama logs as key=….
_GGUF = re.compile(r"[a-z]+\d?[a-z_]*(?:\.[a-z_]+)+\Z|(?:general|tokenizer)\.[\w.]+\Z")
# {"name": "API_KEY", "value": "…"} in JSON, YAML and XML.
_PAIR = re.compile(
    r"(?i)(?<![\w.-])(?:name|key|variable|field)\\{0,8}[\"'`]?\s{0,8}[:=]\s{0,8}\\{0,8}[\"'`]?"
    r"([\w.-]++)\\{0,8}[\"'`]?[\s,;]{1,80}\\{0,8}[\"'`]?(?:value|default|content)\\{0,8}[\"'`]?"
    r"\s{0,8}[:=]>?[ \t]*"
)
_ELEMENT = re.compile(
    r"<(?:key|name)>([\w.-]++)</(?:key|name)>\s{0,80}<(?:string|value)>"
    r"|<(?:[\w:.-]++\s[^<>]{0,100}?name=[\"'])([\w.-]++)[\"'][^<>]{0,100}>"
    r"|<([\w:.-]++)(?:\s[^<>]{0,200})?>"
)
# A field of a form as browsers send it.
_PART = re.compile(
    r"\bname=[\"']?([\w.-]++)[\"']?[^\n]{0,200}\r?\n(?:[\w-]{1,40}:[^\n]{0,200}\r?\n){0,4}\r?\n"
)
_SECTION = re.compile(r"(?m)^[ \t]*\[{1,2}([\w.\"'-]{1,100})\]{1,2}[ \t]*\r?\n")
_NEXT_SECTION = re.compile(r"(?m)^[ \t]*\[")


def _named(found: re.Match[str]) -> Span:
    text, name = found.string, found[1]
    sure = strength(name)
    if not sure or (name.lower() == "key" and _OPEN_KEY.search(_before(found))):
        return NOTHING
    sign = found[2].strip(" \t\"'`\\])")
    if sign in ("is", "was"):
        return _said(text, found.end(), sure)
    start = _LINE_START.match(_before(found).rpartition("\n")[2]) if _is_near(found) else None
    span = value_span(text, found.end())
    if start and span[0] == span[1] and ":" in sign:
        return block_span(text, found.end(), len(start[1]))
    if start and text[found.end() : found.end() + 1] in MARKS and ":" in sign:
        block = block_span(text, found.end(), len(start[1]))
        span = block if block[0] < block[1] else span
    # A line that is nothing else: blanks and delimiters are a part of the value.
    elif start and span[0] == found.end() and found[2].lstrip()[:1] in "=:":
        first = text[span[0] : span[1]]
        if sure < Strength.STRONG and _is_harmless(name, sure, first):
            return NOTHING
        span = max(span, line_span(text, found.end()))
    value = text[span[0] : span[1]][:200]
    is_prose = not start and name in ("key", "token") and found[0].endswith((": ", "): "))
    if is_prose and _SENTENCE.match(value):
        return NOTHING
    return NOTHING if _is_harmless(name, sure, value) else span


def _said(text: str, at: int, sure: Strength) -> Span:
    """Judge what "the password is" is followed by."""
    span = value_span(text, at)
    word = text[span[0] : span[1]][:200]
    is_odd = len(word) >= 8 and any(c.isdigit() for c in word)
    return NOTHING if _SAID.match(word) or (sure < Strength.STRONG and not is_odd) else span


def _is_harmless(name: str, sure: Strength, value: str) -> bool:
    if _NO_VALUE.match(value) or (name.lower().endswith("pwd") and value.startswith("/")):
        return True
    is_field = name.lower() == "key" and _GGUF.match(value)
    return bool(sure < Strength.STRONG and (_NUMBER.match(value) or is_field))


def _before(found: re.Match[str]) -> str:
    return found.string[max(0, found.start() - _BEFORE) : found.start()]


def _is_near(found: re.Match[str]) -> bool:
    """Tell whether the beginning of the line is within what is looked at."""
    return found.start() <= _BEFORE or "\n" in _before(found)


def _value(found: re.Match[str]) -> Span:
    return value_span(found.string, found.end()) if strength(found[1]) else NOTHING


def _element(found: re.Match[str]) -> Span:
    name = found[found.lastindex or 0]
    close = found.string.find("<", found.end()) if strength(name) else -1
    return (found.end(), close) if close >= 0 else NOTHING


def _part(found: re.Match[str]) -> Span:
    return line_span(found.string, found.end()) if strength(found[1]) else NOTHING


def _section(found: re.Match[str]) -> Span:
    """Take all of a table whose name is that of a secret."""
    if strength(found[1].strip("\"'").rpartition(".")[2]) < Strength.STRONG:
        return NOTHING
    after = _NEXT_SECTION.search(found.string, found.end())
    end = after.start() - 1 if after else len(found.string)
    return found.end(), max(found.end(), end)


NAMED: tuple[tuple[re.Pattern[str], Find], ...] = (
    (_PAIR, _value),
    (_ELEMENT, _element),
    (_PART, _part),
    (_SECTION, _section),
    (_NAMED, _named),
)
