"""Versions of activity types in the data and addresses of pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from conflicto.activity_types.model import ActivityType


def keyed_types(types: Iterable[ActivityType]) -> dict[str, ActivityType]:
    """Return all versions of types by the key under which pages know them.

    The newest version of a type comes before its others.
    """
    newest: dict[str, str] = {}
    return {known.key(newest.setdefault(known.name, known.version)): known for known in types}


def versions_data(
    types: Mapping[str, ActivityType], data_of: Callable[[ActivityType, str], dict[str, Any]], locale: str
) -> dict[str, Any]:
    """Return `types`, the data of newest versions by name, and `versions`, of older ones by key.

    The data of a type with older versions lists them in `older`, newest first.
    """
    newest = {key: data_of(known, locale) for key, known in types.items() if key == known.name}
    older = {key: known for key, known in types.items() if key != known.name}
    for known in older.values():
        newest[known.name].setdefault("older", []).append(known.version)
    versions = {key: data_of(known, locale) for key, known in older.items()}
    return {"types": newest, "versions": versions} if versions else {"types": newest}
