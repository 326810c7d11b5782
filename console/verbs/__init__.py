"""The verbs of the console; importing this registers them all."""

from console.verbs import change, database, look, shell
from console.verbs.look import event_text

__all__ = ["change", "database", "event_text", "look", "shell"]
