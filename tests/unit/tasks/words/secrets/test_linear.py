"""Attack 18: a text of any kind is read in time that grows as it does.

Nothing is timed: what reads a text again for each of its places would take minutes here.
"""

from __future__ import annotations

import re

import pytest

from tasks.records.scrub import Scrubber
from tasks.words.secrets.shapes import without_secrets
from tasks.words.secrets.values import Find

SIZE = 500_000
KINDS = {
    "JSON in base64": "eyJ-",
    "JSON in base64, dots": "eyJ.",
    "quotes": '"',
    "three quotes": '"""',
    "signs": "=",
    "base64": "QUJD",
    "armour without an end": "-----BEGIN PRIVATE KEY-----\n",
    "armour": "-----BEGIN ",
    "addresses": "://",
    "addresses with users": "://a:b",
    "blanks": " ",
    "brackets": "{[",
    "names": "token=",
    "names and quotes": "token='a'b'c'",
    "names, quotes of all kinds": "token='\ntoken=\"\ntoken=`\n",
    "names and three quotes": 'token="""\n',
    "names and brackets": "token={\n",
    "names and backslashes": 'token=\\\\\\"',
    "headers within quotes": "'Authorization: ",
    "blocks of YAML": "password: |\n  a\n",
    "netrc": "login a password ",
    "commands": "curl -u sshpass -p echo ",
    "sections": "[secret]\n",
    "words": "a-",
    "sentences": "the token is ",
    "pairs": 'name="token" ',
    "elements": "<password>",
    "lines": "\n",
    "five fields": "h:1:a:b",
}


@pytest.mark.parametrize("kind", KINDS)
def test_attack_18_half_a_megabyte_of_any_kind_are_read_once(kind: str) -> None:
    part = KINDS[kind]
    assert without_secrets(part * (SIZE // len(part)))


@pytest.mark.parametrize("kind", KINDS)
def test_attack_18_twice_the_text_is_twice_the_looks(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    from tasks.words.secrets import shapes  # noqa: PLC0415 (what is counted)

    looks = 0

    def counting(find: Find) -> Find:
        def counted(found: re.Match[str]) -> tuple[int, int]:
            nonlocal looks
            looks += 1
            begin, end = find(found)
            # Each look begins behind the one before it.
            assert end >= begin
            return begin, end

        return counted

    counted = tuple((head, counting(find)) for head, find in shapes._SHAPES)
    monkeypatch.setattr(shapes, "_SHAPES", counted)
    part, counts = KINDS[kind], []
    for size in (20_000, 40_000):
        looks = 0
        without_secrets(part * (size // len(part)))
        counts.append(looks)
    assert counts[1] <= 2 * counts[0] + len(counted)


def test_attack_18_a_scrubber_spells_its_secrets_once() -> None:
    scrubber = Scrubber(frozenset({"hunter22"}))
    assert scrubber._spellings is scrubber._spellings
