"""Numbers as people read them."""

from __future__ import annotations

_UNITS = ("B", "kB", "MB", "GB", "TB")


def progress_text(done: int, total: int, rate: float) -> str:
    """Return "45 %, 2.1 GB of 4.7 GB, 38.0 MB/s, 1 min 8 s left"; bytes and bytes a second."""
    share = f"{100 * done / total:.0f} %, " if total else ""
    text = f"{share}{bytes_text(done)} of {bytes_text(total)}, {bytes_text(rate)}/s"
    if rate > 0 and total > done:
        text += f", {duration_text((total - done) / rate)} left"
    return text


def bytes_text(count: float) -> str:
    """Return bytes for people, in powers of 1000: "4.7 GB"."""
    for unit in _UNITS:
        if count < 1000 or unit == _UNITS[-1]:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError("unreachable")


def duration_text(seconds: float) -> str:
    """Return seconds for people: "1 min 8 s"."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
