"""Fingerprints: Debian's own archive key, whose fingerprint gpg and debootstrap show."""

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.docker_engine.openpgp import NotAKey, fingerprints

DEBIAN_12 = """\
-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEY865UxYJKwYBBAHaRw8BAQdAd7Z0srwuhlB6JKFkcf4HU4SSS/xcRfwEQWzr
crf6AEq0SURlYmlhbiBTdGFibGUgUmVsZWFzZSBLZXkgKDEyL2Jvb2t3b3JtKSA8
ZGViaWFuLXJlbGVhc2VAbGlzdHMuZGViaWFuLm9yZz6IlgQTFggAPhYhBE1k/sEZ
wgKQZ9bnkfjSWFuHg9SBBQJjzrlTAhsDBQkPCZwABQsJCAcCBhUKCQgLAgQWAgMB
Ah4BAheAAAoJEPjSWFuHg9SBSgwBAP9qpeO5z1s5m4D4z3TcqDo1wez6DNya27QW
WoG/4oBsAQCEN8Z00DXagPHbwrvsY2t9BCsT+PgnSn9biobwX7bDDg==
=5NZE
-----END PGP PUBLIC KEY BLOCK-----
"""
FINGERPRINT = "4D64FEC119C2029067D6E791F8D2585B8783D481"


def test_a_real_key() -> None:
    assert fingerprints(DEBIAN_12) == [FINGERPRINT]
    assert fingerprints(DEBIAN_12.replace("\n", "\r\n")) == [FINGERPRINT]


def test_a_second_key_in_the_file_is_seen() -> None:
    assert fingerprints(DEBIAN_12 + DEBIAN_12) == [FINGERPRINT, FINGERPRINT]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>a proxy says hello</html>",
        DEBIAN_12.rpartition("-----END")[0],
        DEBIAN_12.replace("mD", "??", 1),
    ],
)
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(NotAKey):
        fingerprints(text)


def test_another_byte_is_another_key() -> None:
    lines = DEBIAN_12.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("mD"))
    data = bytearray(base64.b64decode(lines[start]))
    data[20] ^= 1
    lines[start] = base64.b64encode(bytes(data)).decode()
    assert fingerprints("\n".join(lines)) != [FINGERPRINT]


@given(st.binary())
def test_any_bytes_are_a_key_or_named(data: bytes) -> None:
    block = base64.b64encode(data).decode()
    text = f"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{block}\n-----END PGP PUBLIC KEY BLOCK-----"
    with suppress(NotAKey):
        fingerprints(text)
