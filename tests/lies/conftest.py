"""A converged stack on a fake host, and a host on which nothing is yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fake.host import FakeHost
from tests.lies.installation import Installation
from tests.lies.place import Place


@pytest.fixture(scope="session")
def converged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The one stack of all tests, which costs ten seconds."""
    folder = tmp_path_factory.mktemp("lies")
    (folder / "installation").mkdir()
    with FakeHost(folder / "host") as host:
        yield Place(folder, host)


@pytest.fixture
def place(converged: Place) -> Iterator[Place]:
    """The converged stack; put back afterwards, whatever became of it."""
    converged.put_back()
    yield converged
    converged.put_back()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Installation]:
    """A declaration of one service, of which nothing is there yet."""
    (tmp_path / "installation").mkdir()
    with FakeHost(tmp_path / "host") as host:
        stack = Installation(tmp_path / "installation", host)
        stack.write(models={"qwen": stack.declared["models"]["qwen"]})
        yield stack
