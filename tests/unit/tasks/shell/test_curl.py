"""Nothing from outside gets a word of its own into a command (attacks 1 and 8)."""

from __future__ import annotations

import base64
import gzip
import json
import shlex
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.declared.references import ImageReference
from tasks.registry.manifests import (
    Asker,
    RegistryFault,
    RemoteManifest,
    fetch,
    image_manifest,
    unpacked,
)
from tasks.shell.curl import Unwritable, configuration, curl, enveloped, is_token, opened, streaming
from tasks.shell.local import LocalShell
from tests.unit.tasks.samples import stack

GENUINE = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln_-~+/="
DIGEST = f"sha256:{'1' * 64}"


@pytest.mark.parametrize(
    "token",
    [
        'x"\noutput = "/root/pwned"',
        "x\nurl = file:///etc/passwd",
        "x\\",
        'x"',
        "x y",
        "x\r",
        "\x00",
        "ü",
        "x" * 40_000,
    ],
)
def test_attack_1_a_token_cannot_add_lines_to_curls_configuration(token: str) -> None:
    assert not is_token(token)
    with pytest.raises(Unwritable):
        configuration(token=token)


def test_attack_1_a_genuine_token_is_taken() -> None:
    assert configuration(token=GENUINE) == f'header = "Authorization: Bearer {GENUINE}"\n'


@pytest.mark.parametrize("name", ["proxy", "no_proxy", "ca"])
@pytest.mark.parametrize("value", ['a"b', "a\nb", "a\\b", "a\tb", "\x7f"])
def test_attack_21_a_setting_cannot_add_lines_either(name: str, value: str) -> None:
    with pytest.raises(Unwritable):
        configuration(**{name: value})


@given(st.text(), st.text(), st.text(), st.text())
def test_each_value_is_one_line_or_refused(token: str, proxy: str, no: str, ca: str) -> None:
    try:
        lines = configuration(token=token, proxy=proxy, no_proxy=no, ca=ca)
    except Unwritable:
        return
    assert lines.count("\n") == max(1, sum(map(bool, (token, proxy, no, ca))))
    assert all(line.count('"') in (0, 2) for line in lines.split("\n"))
    assert "\\" not in lines


def test_every_curl_speaks_http_alone_and_reads_no_file_of_a_user() -> None:
    for command in (curl(["http://docker/x"]), streaming("http://127.0.0.1:1/x")):
        words = shlex.split(command)
        at = words.index("curl")
        assert words[at + 1] == "-q"
        for option in ("--globoff", "--proto", "--proto-redir"):
            assert option in words
        assert words[words.index("--proto") + 1] == "=http,https"


@given(st.binary(max_size=400))
def test_whatever_bytes_a_command_prints_come_as_they_are(data: bytes) -> None:
    line = f"#x {base64.b64encode(data).decode()}"
    assert opened(f"a banner\n{line}\n#y !\n") == [("x", data)]


def test_attack_14_what_unpacks_to_more_than_was_asked_for_is_cut() -> None:

    bomb = gzip.compress(b"\0" * 50_000_000)
    assert len(unpacked(bomb, 1000)) == 1000
    assert unpacked(b"no gzip", 1000) == b""
    said = LocalShell().sh(enveloped("x", "cat /dev/zero", limit=4096)).stdout
    assert [len(data) for _, data in opened(said)] == [4096]


class Registry(BaseHTTPRequestHandler):
    """A registry that wants a token, and says where to get it."""

    realm = ""
    token = GENUINE
    body: bytes = json.dumps({"layers": [{"digest": DIGEST, "size": 5}]}).encode()
    asked: ClassVar[list[tuple[str, str]]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("Authorization", "")))
        if self.path.startswith("/token"):
            return self._send(200, json.dumps({"token": self.token}).encode())
        if not self.realm or self.headers.get("Authorization"):
            return self._send(200, self.body)
        return self._send(401, b"", self.realm)

    def _send(self, status: int, body: bytes, realm: str = "") -> None:
        self.send_response(status)
        if realm:
            self.send_header("Www-Authenticate", f'Bearer realm="{realm}",service="x"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    """Run the registry; returns its "host:port"."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Registry.asked.clear()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def look_up(address: str) -> RemoteManifest | RegistryFault:
    asker = Asker(stack(image_mirror=address), LocalShell())
    return image_manifest(asker, ImageReference.parse("ollama/ollama:1").at(address))


def test_a_registry_with_a_token_service_is_asked_with_its_token(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Registry, "realm", f"http://{address}/token")
    found = look_up(address)
    assert isinstance(found, RemoteManifest) and found.size == 5
    assert Registry.asked[-1][1] == f"Bearer {GENUINE}"


def test_attack_1_a_registry_writes_no_file(
    address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    target = tmp_path / "pwned"
    evil = f'x"\nurl = "http://{address}/v2/"\noutput = "{target}"\ncreate-dirs\nheader = "x'
    monkeypatch.setattr(Registry, "realm", f"http://{address}/token")
    monkeypatch.setattr(Registry, "token", evil)
    found = look_up(address)
    assert not target.exists()
    assert isinstance(found, RegistryFault)
    assert "a token that is none" in found.cause


@pytest.mark.parametrize(
    "realm",
    [
        "file:///etc/hostname",
        "gopher://127.0.0.1:6379/_x",
        "ftp://127.0.0.1/",
        "http://user:pw@127.0.0.1/",
        "http://127.0.0.1/a b",
        "/etc/passwd",
        "http://",
        "http://[::1",
    ],
)
def test_attack_8_no_other_place_than_a_web_server_gives_tokens(
    address: str, monkeypatch: pytest.MonkeyPatch, realm: str
) -> None:
    monkeypatch.setattr(Registry, "realm", realm)
    assert isinstance(look_up(address), RegistryFault)
    assert len(Registry.asked) == 1


def test_attack_8_curl_itself_speaks_no_other_protocol(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("root:x:0:0")
    asker = Asker(stack(), LocalShell())
    reply = fetch(asker, f"file://{secret}", "*/*")
    assert (reply.status, reply.body) == (0, "")


@pytest.mark.parametrize("digest", ["sha256:[1-30]", "sha256:../../x", "sha512:1", "{a,b}", ""])
def test_attack_8_a_digest_is_one_or_the_manifest_is_damaged(
    address: str, monkeypatch: pytest.MonkeyPatch, digest: str
) -> None:
    body = json.dumps({"layers": [{"digest": digest, "size": 5}]}).encode()
    monkeypatch.setattr(Registry, "body", body)
    found = look_up(address)
    assert isinstance(found, RegistryFault) and "damaged manifest" in found.cause


def test_attack_14_a_manifest_of_many_mb_is_not_taken_in(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Registry, "body", b'{"layers": "' + b"x" * 20_000_000 + b'"}')
    found = look_up(address)
    assert isinstance(found, RegistryFault)
    assert "more than 4.25 MiB" in found.cause
