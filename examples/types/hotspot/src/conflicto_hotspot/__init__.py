"""The activity type "hot spot", found by Conflicto through the entry point in `pyproject.toml`."""

from pathlib import Path


def folder() -> Path:
    """Return the folder of the type."""
    return Path(__file__).parent / "hotspot"
