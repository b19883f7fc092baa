"""Names for people: titles of an answer's members and of results, and labels of a config's values.

Pages and exports use them, so that a value has one name everywhere. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from conflicto.activity_types.folder_files.drawings import names_pointer
from conflicto.activity_types.json_schema.binding import EVERY_ELEMENT
from conflicto.activity_types.json_schema.flattening import flatten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflicto.activity_types.json_schema.subset import Schema
    from conflicto.activity_types.model import ActivityType

BASE_LOCALE = "en"
"""Locale whose texts stand in for missing ones."""

RESPONSE_TEXTS, RESULT_TEXTS = "response.", "results."
"""Prefixes of texts that name an answer's members and values, and results."""


def text_of(activity_type: ActivityType, key: str, locale: str = BASE_LOCALE) -> str | None:
    """Return a text of a type's catalogs; None without one."""
    catalogs = activity_type.catalogs
    return catalogs.get(locale, {}).get(key) or catalogs.get(BASE_LOCALE, {}).get(key)


def member_title(activity_type: ActivityType, steps: Sequence[str], schema: Schema, locale: str = BASE_LOCALE) -> str | None:
    """Return the title of an answer's member: that of the catalog, else that of its schema."""
    return text_of(activity_type, RESPONSE_TEXTS + ".".join(steps), locale) or schema.get("title")


def value_label(activity_type: ActivityType, steps: Sequence[str], value: object, locale: str = BASE_LOCALE) -> str | None:
    """Return the label of a value that a schema lists, from the catalog; None without one."""
    return text_of(activity_type, f"{RESPONSE_TEXTS}{'.'.join((*steps, str(value)))}", locale)


def label_pointer(activity_type: ActivityType, pointer: str) -> str | None:
    """Return the pointer from a listed object of the config to its label.

    `pointer` leads to the objects' ids, such as `/options/*/id`. The label is the declared one,
    else the first other text of the object. None: there is none.
    """
    for drawing in activity_type.drawings.values():
        if names_pointer(drawing) == pointer and "text" in drawing["names"]:
            label: str = drawing["names"]["text"]
            return label
    place, _, key = pointer.rpartition(f"/{EVERY_ELEMENT}/")
    rows = _rows_schema(activity_type.config_schema, place) if place else {}
    found = next((name for name, schema in rows.items() if schema.get("type") == "string" and name != key), None)
    return None if found is None else f"/{found}"


def declared_pointer(activity_type: ActivityType, path: str) -> str | None:
    """Return the declared pointer to the values of an answer's member; None without one."""
    spec = msgspec.json.decode(activity_type.aggregate or "{}")
    return next(
        (
            names_pointer(drawing)
            for name, drawing in activity_type.drawings.items()
            if "names" in drawing and spec[name]["path"] + spec[name].get("option", "") == path
        ),
        None,
    )


def _rows_schema(root: Schema, place: str) -> Schema:
    """Return the properties of the objects listed at a pointer into the config."""
    part = root
    for step in place.split("/")[1:]:
        part = flatten(root, flatten(root, part).get("properties", {}).get(step, {}))
    rows: Schema = flatten(root, flatten(root, part).get("items", {})).get("properties", {})
    return rows
