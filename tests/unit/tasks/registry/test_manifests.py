"""What a registry's answer means: each status has words of its own (fault 25)."""

from __future__ import annotations

import hashlib
import json

import pytest

from tasks.registry.manifests import (
    RegistryFault,
    digest_for,
    fault,
    parse_reply,
    result,
    token_url,
)

ONE, TWO, THREE = (f"sha256:{digit * 64}" for digit in "123")
MANIFEST = (
    f'{{"config": {{"digest": "{ONE}", "size": 10}},'
    f' "layers": [{{"digest": "{TWO}", "size": 100}}, {{"digest": "{THREE}", "size": 5}}]}}'
)


def answered(body: str) -> bytes:
    """Return what curl prints of an answer: headers, body, and its own last line."""
    return f"HTTP/1.1 200 OK\r\nX: y\r\n\r\n{body}\n200 {len(body)}".encode()


@pytest.mark.parametrize(
    ("status", "part", "unreachable"),
    [
        (0, "does not answer", True),
        (401, "wants a login", False),
        (404, "has no model x:1", False),
        (412, "needs a newer Ollama", False),
        (429, "limits how often", False),
        (503, "a fault of its own (HTTP 503)", True),
    ],
)
def test_each_status_has_its_cause_and_a_remedy(status: int, part: str, unreachable: bool) -> None:
    found = fault(status, "model x:1", "r:1", "", "model")
    assert part in found.cause
    assert found.remedy
    assert found.is_unreachable is unreachable


def test_where_nobody_answers_the_demo_is_offered() -> None:
    assert "setup --demo" in fault(0, "model x:1", "r:1", "", "model").remedy


def test_a_private_certificate_is_named() -> None:
    found = fault(0, "model x:1", "r:1", "curl: (60) SSL certificate problem", "model")
    assert "ca_certificate" in found.remedy


def test_a_manifest_gives_digest_and_size() -> None:
    reply = parse_reply(answered(MANIFEST), "")
    found = result(reply, "model x:1", "r:1", "model")
    assert not isinstance(found, RegistryFault)
    digest = hashlib.sha256(MANIFEST.encode()).hexdigest()
    assert (found.digest, found.size) == (f"sha256:{digest}", 115)


def test_an_index_names_the_manifest_of_the_hosts_architecture() -> None:
    platforms = [("linux", "arm64"), ("linux", "amd64"), ("unknown", "unknown")]
    index = {
        "manifests": [
            {"digest": f"sha256:{n:064}", "platform": {"os": system, "architecture": machine}}
            for n, (system, machine) in enumerate(platforms)
        ]
    }
    assert digest_for(json.dumps(index), "amd64") == f"sha256:{1:064}"
    assert digest_for(json.dumps(index), "riscv64") == ""
    assert digest_for(MANIFEST, "amd64") == ""
    assert digest_for("not json", "amd64") == ""


@pytest.mark.parametrize("body", ["", "{", "[]", '{"layers": [{}]}', MANIFEST[:30]])
def test_fault_15_a_damaged_manifest_is_named(body: str) -> None:
    reply = parse_reply(answered(body), "")
    found = result(reply, "model x:1", "r:1", "model")
    assert isinstance(found, RegistryFault)
    assert "damaged manifest" in found.cause


def test_the_token_service_is_named_by_the_registry() -> None:
    # The header is Docker Hub's, from its documentation of token authentication.
    header = (
        'HTTP/1.1 401 Unauthorized\r\nWww-Authenticate: Bearer realm="https://auth.docker.io/token",'
        'service="registry.docker.io",scope="repository:ollama/ollama:pull"\r\n'
    )
    assert token_url(header, is_plain=False) == (
        "https://auth.docker.io/token?service=registry.docker.io"
        "&scope=repository%3Aollama%2Follama%3Apull"
    )
    assert token_url("Www-Authenticate: Basic realm=x", is_plain=False) == ""


def test_attack_8_a_registry_asked_by_https_gives_tokens_by_https_alone() -> None:
    header = 'Www-Authenticate: Bearer realm="http://auth.lan/token",service="x"'
    assert token_url(header, is_plain=False) == ""
    assert token_url(header, is_plain=True) == "http://auth.lan/token?service=x"
    further = header.replace("/token", "/token?a=b")
    assert token_url(further, is_plain=True) == "http://auth.lan/token?a=b&service=x"


def test_attack_18_a_header_of_many_kb_is_read_at_once() -> None:
    for junk in ("a" * 500_000, 'realm="' * 50_000, " bearer" * 50_000):
        assert token_url(f"Www-Authenticate: Bearer {junk}", is_plain=True) == ""


@pytest.mark.parametrize(
    "raw", [b"", b"200 5", b"\n200 99999999", b"x\n200 -1", b"x\n2x0 1", b"x\n200 " + b"9" * 400]
)
def test_attack_17_an_odd_ending_is_no_answer(raw: bytes) -> None:
    assert parse_reply(raw, "").status == 0


@pytest.mark.parametrize(
    "body",
    [
        "[" * 50_000,
        f'{{"layers": [{{"digest": "{ONE}", "size": {10**400}}}]}}',
        f'{{"layers": [{{"digest": "{ONE}", "size": 1e400}}]}}',
        f'{{"layers": [{{"digest": "{ONE}", "size": -1}}]}}',
        f'{{"layers": [{{"digest": "{ONE}", "size": true}}]}}',
        f'{{"layers": {{"digest": "{ONE}"}}}}',
        '{"layers": [[]]}',
        '{"layers": 5, "config": 7}',
        json.dumps({"layers": [{"digest": f"sha256:{n:064}", "size": 1} for n in range(300)]}),
    ],
)
def test_attack_17_an_odd_manifest_is_a_damaged_one(body: str) -> None:
    found = result(parse_reply(answered(body), ""), "model x:1", "r:1", "model")
    assert isinstance(found, RegistryFault) and "damaged manifest" in found.cause
