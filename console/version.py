"""Which version of ollama-stack this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from tasks.declared.layers import rooted


def own_version() -> str:
    """Return it: of the package, or of the project where nothing is installed."""
    try:
        return version("ollama-stack")
    except PackageNotFoundError:
        import tomllib  # noqa: PLC0415 (only here)

        with rooted("pyproject.toml").open("rb") as file:
            return str(tomllib.load(file)["project"]["version"])
