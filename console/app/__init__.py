"""The terminal app: what is there now, and the verbs behind keys. `./main.sh` opens it."""
