"""Registry of a server's activity types, found by entry points and in configured folders."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conflicto.activity_types.errors import InvalidActivityType
from conflicto.activity_types.loader import MANIFEST_FILE, load_type
from conflicto.platform.problems import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflicto.activity_types.model import ActivityType

GROUP = "conflicto.activity_types"
"""Entry point group. Each entry names a callable that returns a folder, or a package."""


class Registry:
    """The types by name, in the order of their manifests."""

    def __init__(self, types: Iterable[ActivityType]) -> None:
        self._types: dict[str, ActivityType] = {}
        for each in sorted(types, key=lambda each: (each.order, each.name)):
            if each.name in self._types:
                raise InvalidActivityType(
                    f"{each.folder.name}/{MANIFEST_FILE}", "/type", "another folder has registered this type already"
                )
            self._types[each.name] = each

    def find(self, name: str) -> ActivityType | None:
        """Return a type, None if the name is not registered: its activities stay opaque JSON."""
        return self._types.get(name)

    def get(self, name: str) -> ActivityType:
        """Return a type.

        Raises:
            NotFound: no type has this name.
        """
        found = self._types.get(name)
        if found is None:
            raise NotFound
        return found

    def all(self) -> list[ActivityType]:
        """Return all types."""
        return list(self._types.values())


def load_registry(folders: Iterable[Path] = ()) -> Registry:
    """Return the types of all installed packages and of `folders`.

    Raises:
        InvalidActivityType: a folder holds no valid type, or two types share a name.
    """
    return Registry([*installed_types(), *(each for folder in folders for each in types_in(folder))])


@cache
def installed_types() -> tuple[ActivityType, ...]:
    """Return the types of all installed packages; cached, as packages do not change at run time."""
    return tuple(each for entry in entry_points(group=GROUP) for each in types_in(folder_of(entry.load())))


def types_in(folder: Path) -> list[ActivityType]:
    """Return the type in a folder, or all types in its direct subfolders.

    Raises:
        InvalidActivityType: there is no type, or one is invalid.
    """
    if (folder / MANIFEST_FILE).is_file():
        return [load_type(folder.resolve())]
    found = [load_type(file.parent.resolve()) for file in sorted(folder.glob(f"*/{MANIFEST_FILE}"))]
    if not found:
        raise InvalidActivityType(f"{folder.name}/{MANIFEST_FILE}", "", "there is no activity type in this folder")
    return found


def folder_of(source: Any) -> Path:  # noqa: ANN401 - whatever an entry point names
    """Return the folder of an entry point's object."""
    return Path(source()) if callable(source) else Path(source.__file__).parent
