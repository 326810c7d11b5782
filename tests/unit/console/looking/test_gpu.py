"""Reading the card: by an invented library, as NVIDIA's own behaves."""

from __future__ import annotations

from typing import Any

import pytest

from console.looking.gpu import GpuReader


class NVMLError(Exception):
    """What the library raises."""


class NVMLError_LibraryNotFound(NVMLError):
    """There is no library."""


class NVMLError_NotSupported(NVMLError):
    """The card does not tell."""


class Memory:
    used, total = 6_227_702_579, 8_589_934_592


class Utilisation:
    gpu = 12


class Library:
    """One card, as nvidia-ml-py tells of it."""

    NVML_TEMPERATURE_GPU = 0

    def __init__(self, **fails: Exception) -> None:
        self.fails, self.inits = fails, 0

    def _told(self, name: str, value: Any) -> Any:
        if name in self.fails:
            raise self.fails[name]
        return value

    def nvmlInit(self) -> None:
        self.inits += 1
        self._told("init", None)

    def nvmlSystemGetDriverVersion(self) -> bytes:
        return self._told("driver", b"580.95.05")

    def nvmlDeviceGetCount(self) -> int:
        return 1

    def nvmlDeviceGetHandleByIndex(self, number: int) -> int:
        return self._told("handle", number)

    def nvmlDeviceGetName(self, handle: int) -> str:
        return "NVIDIA GeForce RTX 2070 SUPER"

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Memory:
        return self._told("memory", Memory())

    def nvmlDeviceGetTemperature(self, handle: int, sensor: int) -> int:
        return self._told("temperature", 54)

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> Utilisation:
        return self._told("utilisation", Utilisation())


def test_a_card_is_read_and_the_library_opened_once() -> None:
    library = Library()
    reader = GpuReader(library)
    (card,) = reader.read().cards
    assert (card.name, card.driver) == ("NVIDIA GeForce RTX 2070 SUPER", "580.95.05")
    assert (card.memory_used, card.memory_total) == (Memory.used, Memory.total)
    assert (card.temperature, card.utilisation) == (54, 12)
    assert reader.read().cards == (card,)
    assert library.inits == 1


@pytest.mark.parametrize(
    ("what", "field"),
    [
        ("temperature", "temperature"),
        ("utilisation", "utilisation"),
        ("memory", "memory_total"),
    ],
)
def test_what_a_card_does_not_tell_is_not_known_and_the_rest_is(what: str, field: str) -> None:
    (card,) = GpuReader(Library(**{what: NVMLError_NotSupported("Not Supported")})).read().cards
    assert getattr(card, field) is None
    assert card.driver == "580.95.05"


def test_without_the_library_there_is_no_gpu() -> None:
    found = GpuReader(Library(init=NVMLError_LibraryNotFound("Shared Library Not Found"))).read()
    assert (found.cards, found.reason) == ((), "no GPU")


def test_a_card_that_is_lost_is_a_reason_and_may_come_back() -> None:
    library = Library()
    reader = GpuReader(library)
    library.fails["handle"] = NVMLError("GPU is lost")
    assert reader.read().reason == "GPU: GPU is lost"
    del library.fails["handle"]
    assert reader.read().cards
    assert library.inits == 2
