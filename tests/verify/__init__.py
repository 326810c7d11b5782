"""Checks of an installation with testinfra: `pytest tests/verify --hosts=local://`."""
