"""Entering what was proven into stack.lock, and taking out what is no more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tasks.declared import layers
from tasks.declared.stack import Service
from tasks.records import messages
from tasks.records.lockfile import LockError, LockFile
from tasks.records.proven import Proven
from tasks.run.run import Run
from tasks.words.failures import StepFailed


def enter(
    run: Run,
    service: Service,
    image: Proven | None,
    models: Mapping[str, Proven],
    *,
    is_move: bool = False,
) -> None:
    """Enter what was proven of a service into the lock. Raises StepFailed."""
    main = service.model if service.model in models else ""
    with _writing(run) as lock:
        lock.put(run.shell.name, service.name, image, models, main, is_move=is_move)


def forget_model(run: Run, service: Service, model: str) -> None:
    """Take a model that is no more out of the lock. Raises StepFailed."""
    with _writing(run) as lock:
        lock.drop_models(run.shell.name, service.name, [model])


@contextmanager
def _writing(run: Run) -> Iterator[LockFile]:
    path = run.stack.lock
    try:
        yield run.held.lock or LockFile.load(layers.rooted(path))
    except LockError as error:
        raise StepFailed(messages.NOT_WRITTEN(path=path, cause=error.cause), error.remedy) from None
    except OSError as error:
        cause = messages.NOT_WRITTEN(path=path, cause=str(error))
        raise StepFailed(cause, messages.MEND_RIGHTS()) from None
