"""Certificates: Debian's own archive key, whose fingerprint gpg and debootstrap show."""

import base64
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.apt.openpgp import LARGEST, Certificate, NotAKey, certificates

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


# A key of somebody else, made by hand: version 4, a time, the algorithm EdDSA, and any numbers.
FOREIGN_BODY = (
    b"\x04" + bytes(4) + b"\x16" + b"\x09\x2b\x06\x01\x04\x01\xda\x47\x0f\x01" + b"k" * 33
)
FOREIGN = Certificate(((6, FOREIGN_BODY), (13, b"Mallory <m@lan.invalid>")))
_KEY = "PGP PUBLIC KEY BLOCK"


def fingerprints(text: str) -> list[str]:
    return [one.fingerprint for one in certificates(text)]


def under(other: str, text: str = FOREIGN.armoured) -> str:
    """Return a key under another line of armour."""
    return text.replace(_KEY, other)


def dearmoured(text: str) -> bytes:
    """Take armour off as apt's script does it: whatever begins a block, up to the first end."""
    lines, state = [], 0
    for line in text.split("\n"):
        if line.startswith("-----BEGIN"):
            state = 1
        if not line and state == 1:
            state = 2
        if line.startswith("-----END"):
            break
        if state == 2 and line and line[0] not in "=-":
            lines.append(line)
    return base64.b64decode("".join(lines))


def test_a_real_key() -> None:
    assert fingerprints(DEBIAN_12) == [FINGERPRINT]
    assert fingerprints(DEBIAN_12.replace("\n", "\r\n")) == [FINGERPRINT]


def test_a_real_key_is_written_as_gpg_exports_it() -> None:
    (found,) = certificates(DEBIAN_12)
    assert found.armoured == DEBIAN_12
    assert [tag for tag, _ in found.packets] == [6, 13, 2]


def test_a_second_key_in_the_file_is_another_certificate() -> None:
    two = certificates(DEBIAN_12 + FOREIGN.armoured + DEBIAN_12)
    assert [one.fingerprint for one in two] == [FINGERPRINT, FOREIGN.fingerprint]
    one_block = Certificate((*two[1].packets, *two[0].packets)).armoured
    assert fingerprints(one_block) == [FOREIGN.fingerprint, FINGERPRINT]
    for text in (two[0].armoured, certificates(one_block)[1].armoured):
        assert text == DEBIAN_12


@pytest.mark.parametrize(
    "text",
    [
        f"{under('PGP PRIVATE KEY BLOCK')}{DEBIAN_12}",
        f"{under('PGP ARMORED FILE')}{DEBIAN_12}",
        f"{under('PGP PUBLIC KEY BLOCK, PART 1/2')}{DEBIAN_12}",
        f"{under('ANYTHING')}\n{DEBIAN_12}{under('PGP MESSAGE')}",
        f"-----BEGIN PGP\n\n{DEBIAN_12}junk after it\x00\x1b[2J",
        DEBIAN_12.replace("-----END", f"{under('PGP MESSAGE').splitlines()[0]}: x\n-----END"),
        DEBIAN_12.replace("\n\n", "\nComment: -----BEGIN\n\n", 1),
    ],
)
def test_attack_2_what_is_written_is_what_was_checked(text: str) -> None:
    (found,) = certificates(text)
    assert found.armoured == DEBIAN_12
    assert dearmoured(found.armoured) == dearmoured(DEBIAN_12)


@pytest.mark.skipif(not shutil.which("gpg"), reason="gpg is not installed")
def test_attack_2_gpg_sees_the_pinned_key_alone(tmp_path: Path) -> None:
    text = f"{under('PGP ARMORED FILE')}{DEBIAN_12}{FOREIGN.armoured}"
    found = next(one for one in certificates(text) if one.fingerprint == FINGERPRINT)
    (tmp_path / "key.asc").write_text(found.armoured)
    command = ["gpg", "--homedir", str(tmp_path), "--batch", "--with-colons", "--show-keys"]
    shown = subprocess.run(
        [*command, str(tmp_path / "key.asc")], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(":") for line in shown.splitlines()]
    assert [row[9] for row in rows if row[0] == "fpr"] == [FINGERPRINT]
    assert [row[0] for row in rows if row[0] in ("pub", "sub", "sec")] == ["pub"]


JUNK = st.text() | st.sampled_from(
    [under(kind) for kind in ("PGP MESSAGE", "PGP PRIVATE KEY BLOCK", "X")]
    + ["-----BEGIN", "-----END PGP PUBLIC KEY BLOCK-----\n", FOREIGN.armoured, "\x85", "\r"]
)


@given(JUNK, JUNK)
def test_attack_2_no_junk_around_the_key_reaches_the_keyring(before: str, after: str) -> None:
    try:
        found = certificates(f"{before}\n{DEBIAN_12}{after}")
    except NotAKey:
        return
    assert [one.armoured for one in found if one.fingerprint == FINGERPRINT] == [DEBIAN_12]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "no public key in it"),
        ("<html>a proxy says hello</html>", "no public key in it"),
        (DEBIAN_12.rpartition("-----END")[0], "has no end"),
        (DEBIAN_12.replace("mD", "??", 1), "base64"),
        (DEBIAN_12.replace("mD", "\u00e9", 1), "base64"),
        (Certificate(((5, FOREIGN_BODY),)).armoured, "of type 5"),
        (Certificate(((8, b"\x01"), (6, FOREIGN_BODY))).armoured, "of type 8"),
        (Certificate(((13, b"x"), (6, FOREIGN_BODY))).armoured, "of type 13"),
        (Certificate(((6, b"\x06" + FOREIGN_BODY[1:]),)).armoured, "version that is not 4"),
        (Certificate(((6, b"\x04" * 70_000),)).armoured, "version that is not 4"),
        ("x" * (LARGEST + 1), "larger"),
    ],
)
def test_what_is_no_key(text: str, cause: str) -> None:
    with pytest.raises(NotAKey, match=cause):
        certificates(text)


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
        for found in certificates(text):
            (again,) = certificates(found.armoured)
            assert again == found
