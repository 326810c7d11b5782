"""Checks of an installation with testinfra: `pytest tests/verify --hosts=local://`."""

# A deploy hands its host's whole declaration over in this variable, as JSON.
DECLARED = "OLLAMA_STACK_DECLARED"
