"""What a run is going to do, step by step: values, and their text for people."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tasks.words.printable import printable

# This machine, as pyinfra names it.
LOCAL = "@local"


class Action(StrEnum):
    """What a step does. A step of another kind than these does not exist."""

    INSTALL_DRIVER = "install driver"
    INSTALL_PACKAGES = "install packages"
    JOIN_GROUP = "join group"
    START_ENGINE = "start engine"
    CONFIGURE_ENGINE = "configure engine"
    RESTART_ENGINE = "restart engine"
    INSTALL_TOOLKIT = "install toolkit"
    DESCRIBE_GPU = "describe GPU"
    CONFIGURE_TOOLKIT = "configure toolkit"
    PULL_IMAGE = "pull image"
    TAG_IMAGE = "tag image"
    REMOVE_IMAGE = "remove image"
    CREATE_VOLUME = "create volume"
    SET_ASIDE = "set aside"
    PUT_BACK = "put back"
    RENAME = "rename"
    CREATE = "create"
    START = "start"
    UNPAUSE = "unpause"
    STOP = "stop"
    PROVE = "prove"
    REMOVE = "remove"
    REMOVE_VOLUME = "remove volume"
    PULL_MODEL = "pull model"
    RESTORE_MODEL = "restore model"
    KEEP_MODEL = "keep model"
    UPGRADE_MODEL = "upgrade model"
    PROVE_MODEL = "prove model"
    REMOVE_MODEL = "remove model"
    MOVE_LOCK = "move lock"
    TIDY_IMAGES = "tidy images"
    TIDY_MODELS = "tidy models"
    CONNECT = "connect"
    DISCONNECT = "disconnect"


@dataclass(frozen=True)
class Step:
    """One change, and why it is made.

    `subject` is the thing that the step changes: a container, a volume, an image, a model.
    `service` is empty for steps of the host that every service waits for. `needs` tells what the
    step waits for, where an earlier stage of the same run provides it ("after Docker Engine is
    installed"). `target` is what whoever takes the step needs to know: a value of its room.
    """

    action: Action
    subject: str
    text: str
    why: str
    service: str = ""
    needs: str = ""
    target: Any = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        who = f"{self.service}: " if self.service else ""
        why = f" ({self.why})" if self.why else ""
        needs = f", {self.needs}" if self.needs else ""
        return printable(f"{who}{self.text}{why}{needs}")


@dataclass(frozen=True)
class Event:
    """A change that was made, for the history in the database. `at` is UTC, ISO 8601."""

    at: str
    service: str
    action: Action
    subject: str
    why: str
