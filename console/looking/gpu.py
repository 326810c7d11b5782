"""The card as the app's header shows it, by NVIDIA's own library: no process is started for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MIB = 1024**2


@dataclass(frozen=True)
class GpuReading:
    """One card now. Memory in bytes, temperature in °C, utilisation in %; None: not told."""

    name: str
    driver: str
    memory_used: int | None
    memory_total: int | None
    temperature: int | None
    utilisation: int | None


@dataclass(frozen=True)
class GpuReadings:
    """All cards now, or why there is nothing to read."""

    cards: tuple[GpuReading, ...] = ()
    reason: str = ""


class GpuReader:
    """Reads the cards; the library is opened once. Source: PyPI's nvidia-ml-py (pynvml)."""

    def __init__(self, library: Any = None) -> None:
        self.nvml = library
        self.is_open = False

    def read(self) -> GpuReadings:
        """Read all cards; a card that is lost while the app runs is a reason, never an error."""
        try:
            nvml = self._opened()
            driver = _text(nvml.nvmlSystemGetDriverVersion())
            count = nvml.nvmlDeviceGetCount()
            handles = [nvml.nvmlDeviceGetHandleByIndex(number) for number in range(count)]
            return GpuReadings(tuple(_reading(nvml, handle, driver) for handle in handles))
        except Exception as error:
            self.is_open = False
            return GpuReadings(reason=_reason(error))

    def _opened(self) -> Any:
        if self.nvml is None:
            import pynvml  # noqa: PLC0415 (a machine without a card never needs it)

            self.nvml = pynvml
        if not self.is_open:
            self.nvml.nvmlInit()
            self.is_open = True
        return self.nvml


def _reading(nvml: Any, handle: Any, driver: str) -> GpuReading:
    memory = _maybe(lambda: nvml.nvmlDeviceGetMemoryInfo(handle))
    return GpuReading(
        name=_text(nvml.nvmlDeviceGetName(handle)),
        driver=driver,
        memory_used=memory.used if memory else None,
        memory_total=memory.total if memory else None,
        temperature=_maybe(
            lambda: nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)
        ),
        utilisation=_maybe(lambda: nvml.nvmlDeviceGetUtilizationRates(handle).gpu),
    )


def _maybe(ask: Callable[[], Any]) -> Any:
    """Return what a card tells, None where it does not support the question."""
    try:
        return ask()
    except Exception:
        return None


def _text(value: str | bytes) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _reason(error: Exception) -> str:
    if type(error).__name__ in ("NVMLError_LibraryNotFound", "NVMLError_DriverNotLoaded"):
        return "no GPU"
    return f"GPU: {error}"
