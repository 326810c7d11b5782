"""What the errors of a pull mean. Their texts: Ollama 0.24.0, server/images.go and download.go."""

from __future__ import annotations

import pytest

from tasks.run.streams import StreamEnd
from tasks.services.pull import explain
from tests.unit.tasks.samples import stack

STACK = stack()


@pytest.mark.parametrize(
    ("error", "part", "again"),
    [
        ("pull model manifest: file does not exist", "has no model x:1", False),
        ("pull model manifest: 412: requires a newer version of Ollama", "a newer Ollama", False),
        ("write /root/.ollama/blobs/x: no space left on device", "the disk is full", False),
        ("digest mismatch, file must be downloaded again: want a, got b", "damaged", True),
        ("unexpected EOF", "damaged", True),
        ("tls: failed to verify certificate: x509: unknown authority", "does not trust", False),
        ("pull model manifest: 429: slow down", "limits how often", False),
        ("pull model manifest: 503: x", "a fault of its own (HTTP 503)", True),
        ("max retries exceeded: EOF", "broke off", True),
    ],
)
def test_each_error_has_its_meaning(error: str, part: str, again: bool) -> None:
    found = explain(StreamEnd(200, error), "x:1", STACK)
    assert part in found.cause
    assert found.remedy
    assert found.again is again


def test_fault_18_a_ca_that_only_the_host_trusts_is_named() -> None:
    found = explain(StreamEnd(200, "x509: certificate signed by unknown authority"), "x:1", STACK)
    assert "the container does not trust the registry" in found.cause
    assert "ca_certificate" in found.remedy


def test_fault_12_a_stall_is_bounded_and_taken_up_again() -> None:
    found = explain(StreamEnd(0, "", stalled=True), "x:1", STACK)
    assert "no byte for 60 s" in found.cause
    assert found.again
