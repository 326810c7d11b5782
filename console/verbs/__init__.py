"""The verbs of the console; importing this registers them all."""

from console.verbs import app, change, clients, database, doctor, look, shell, status

__all__ = ["app", "change", "clients", "database", "doctor", "look", "shell", "status"]
