"""Versions of drivers, of CUDA and of packages, compared number by number. Pure."""

from __future__ import annotations


def older(version: str, minimum: str) -> bool:
    """Compare versions number by number; missing numbers are 0, so 580.95 is not above 580.95.0."""
    left, right = numbers(version), numbers(minimum)
    length = max(len(left), len(right))
    return left + (0,) * (length - len(left)) < right + (0,) * (length - len(right))


def numbers(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version: "1.17.8-rc.1" gives (1, 17, 8)."""
    found: list[int] = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        found.append(int(digits))
        if digits != part:
            break
    return tuple(found)


def upstream(version: str) -> str:
    """Return a package's version as its makers count: "1:580.95.05-0ubuntu1" gives "580.95.05"."""
    return version.rpartition(":")[2].partition("-")[0]
