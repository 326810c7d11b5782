"""The ssh behind the tunnel."""

from __future__ import annotations

from console.using.tunnel import command, shown
from tests.unit.tasks.samples import stack


def test_each_service_is_forwarded_to_the_same_port_here() -> None:
    services = stack(models={"mistral": {"bind": "::1"}}).services
    words = command("gpu.lan", services)
    assert [words[i + 1] for i, word in enumerate(words) if word == "-L"] == [
        "127.0.0.1:11434:127.0.0.1:11434",
        "127.0.0.1:11435:127.0.0.1:11435",
        "127.0.0.1:11436:[::1]:11436",
    ]
    assert words[-2:] == ["--", "gpu.lan"]


def test_what_is_shown_can_be_typed() -> None:
    assert shown("a b", stack().services).endswith("-- 'a b'")
