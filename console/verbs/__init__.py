"""The verbs of the console; importing this registers them all."""

from console.verbs import change, clients, database, look, shell
from console.verbs.look import event_text

__all__ = ["change", "clients", "database", "event_text", "look", "shell"]
