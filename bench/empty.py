"""One empty operation: what pyinfra itself costs before anything is asked of it."""

from collections.abc import Generator

from pyinfra.api import operation


@operation()
def nothing() -> Generator[str, None, None]:
    """Ask for nothing."""
    yield from ()


nothing(name="Nothing")
