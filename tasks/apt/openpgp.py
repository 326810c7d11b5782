"""Certificates of OpenPGP, read and written by us, so that hosts without gpg can check a key.

What apt reads is never the file that came: programs differ in what they take for armour, so a key
that one of them skips another one trusts. A certificate is taken apart here, checked, and written
anew from the packets that were checked.
Source: RFC 4880, sections 4.2 (packets), 5.5.2 and 12.2 (keys and their fingerprints), 6.1 and 6.2
(checksum and armour), 11.1 (what a transferable public key is made of).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# Far more than any key of a repository has; some carry hundreds of signatures.
LARGEST = 1024**2
PUBLIC_KEY = 6
# What hangs on a primary key: signatures, user IDs and attributes, subkeys.
_PARTS = (2, 13, 14, 17)
# Markers, what a keyring notes for itself, and padding (RFC 9580): nobody needs them.
_IGNORED = (10, 12, 21)
_BEGIN = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
_END = "-----END PGP PUBLIC KEY BLOCK-----"
_LINE = 64
# A fingerprint counts the length of the key's body in two bytes.
_LARGEST_KEY = 0xFFFF


class NotAKey(Exception):
    """The text is no armoured public key that this module can read."""


@dataclass(frozen=True)
class Certificate:
    """A primary key with what hangs on it: tags and bodies of packets, the key's own first."""

    packets: tuple[tuple[int, bytes], ...]

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the primary key, which its whole body goes into."""
        body = self.packets[0][1]
        framed = b"\x99" + len(body).to_bytes(2, "big") + body
        return hashlib.sha1(framed, usedforsecurity=False).hexdigest().upper()

    @property
    def armoured(self) -> str:
        """The certificate as the text of an .asc file: these packets and nothing else."""
        data = b"".join(_header_of(tag, len(body)) + body for tag, body in self.packets)
        text = base64.b64encode(data).decode()
        lines = [text[i : i + _LINE] for i in range(0, len(text), _LINE)]
        checksum = base64.b64encode(_crc24(data).to_bytes(3, "big")).decode()
        return "\n".join([_BEGIN, "", *lines, f"={checksum}", _END, ""])


def certificates(armoured: str) -> list[Certificate]:
    """Return all certificates of an armoured key file, each once. Raises NotAKey.

    What is no block of public keys is passed over: it never gets any further.
    """
    if len(armoured) > LARGEST:
        raise NotAKey("it is larger than a key can be")
    found: dict[str, Certificate] = {}
    for data in _blocks(armoured):
        for one in _split(_packets(data)):
            found.setdefault(one.fingerprint, one)
    if not found:
        raise NotAKey("no public key in it")
    return list(found.values())


def _split(packets: Iterable[tuple[int, bytes]]) -> Iterator[Certificate]:
    """Cut the packets of a block into certificates. Raises NotAKey where one does not belong."""
    current: list[tuple[int, bytes]] = []
    for tag, body in packets:
        if tag == PUBLIC_KEY:
            if body[:1] != b"\x04" or len(body) > _LARGEST_KEY:
                raise NotAKey("a key of a version that is not 4")
            if current:
                yield Certificate(tuple(current))
            current = [(tag, body)]
        elif tag in _PARTS and current:
            current.append((tag, body))
        elif tag not in _IGNORED:
            raise NotAKey(f"a packet (of type {tag}) that does not belong in a public key")
    if current:
        yield Certificate(tuple(current))


def _blocks(armoured: str) -> Iterator[bytes]:
    lines: list[str] | None = None
    for line in (line.strip() for line in armoured.split("\n")):
        if line == _BEGIN:
            lines = []
        elif line == _END and lines is not None:
            yield _decode(lines)
            lines = None
        elif lines is not None:
            lines.append(line)
    if lines is not None:
        raise NotAKey("the key block has no end")


def _decode(lines: list[str]) -> bytes:
    """Decode a block's base64, without its headers ("Version: …") and checksum ("=abcd")."""
    data = [line for line in lines if line and ":" not in line and not line.startswith("=")]
    try:
        return base64.b64decode("".join(data), validate=True)
    except ValueError:
        # As binascii.Error is, and what base64 says of letters that are not ASCII.
        raise NotAKey("its base64 is damaged") from None


def _packets(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position < len(data):
        try:
            tag, length, start = _header(data, position)
        except IndexError:
            raise NotAKey("a packet is cut off") from None
        body = data[start : start + length]
        if len(body) != length:
            raise NotAKey("a packet is cut off")
        yield tag, body
        position = start + length


def _header(data: bytes, position: int) -> tuple[int, int, int]:
    """Return tag and length of the packet at `position`, and where its body starts."""
    first = data[position]
    if not first & 0x80:
        raise NotAKey("it does not hold packets")
    if first & 0x40:
        return first & 0x3F, *_new_length(data, position + 1)
    size = (1, 2, 4, 0)[first & 0x03]
    if not size:
        raise NotAKey("a packet of unknown length")
    raw = data[position + 1 : position + 1 + size]
    if len(raw) != size:
        raise IndexError
    return (first & 0x3C) >> 2, int.from_bytes(raw, "big"), position + 1 + size


def _new_length(data: bytes, position: int) -> tuple[int, int]:
    first = data[position]
    if first < 192:
        return first, position + 1
    if first < 224:
        return ((first - 192) << 8) + data[position + 1] + 192, position + 2
    if first < 255:
        raise NotAKey("a packet in parts")
    if position + 5 > len(data):
        raise IndexError
    return int.from_bytes(data[position + 1 : position + 5], "big"), position + 5


def _header_of(tag: int, length: int) -> bytes:
    """Return the header of a packet, in the old form where that has the tag: so gpg exports too."""
    if tag >= 16:
        return bytes([0xC0 | tag, 0xFF]) + length.to_bytes(4, "big")
    kind = 0 if length < 256 else 1 if length < 256**2 else 2
    return bytes([0x80 | tag << 2 | kind]) + length.to_bytes(2**kind, "big")


def _crc24(data: bytes) -> int:
    crc = 0xB704CE
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= 0x1864CFB
    return crc
