"""Declared drawings: chart, names of rows, figure and unit of each result."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

import msgspec

from conflicto.activity_types.folder_files.pointer_checks import PointerFault, nowhere_faults, scope_of
from conflicto.activity_types.folder_files.schema_files import CONFIG_FILE
from conflicto.activity_types.json_schema.config_pointers import schemas_at, unusable_type
from conflicto.activity_types.json_schema.subset import SCOPE
from conflicto.activity_types.scopes import PUBLIC

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conflicto.activity_types.json_schema.subset import Schema

DRAWING_FILE = "drawing.json"

CHARTS: Mapping[str, tuple[str, ...]] = msgspec.json.decode(
    files("conflicto.activity_types.folder_files").joinpath("charts.json").read_bytes(), type=dict[str, tuple[str, ...]]
)
"""Charts that the pages can draw of each operation, the default first; a test compares them."""

NO_CHART = "none"
"""Chart of a result that is not drawn."""

OPERATIONS_BY_MEMBER: Mapping[str, frozenset[str]] = {
    "names": frozenset({"amounts", "count", "pairs", "quartiles", "rank"}),
    "figure": frozenset({"amounts"}),
    "unit": frozenset({"amounts", "median", "number", "quartiles"}),
}
"""Operations whose results have what a member declares."""


def drawing_faults(drawings: Mapping[str, Any], aggregate: Mapping[str, Any], config: Schema) -> Iterator[PointerFault]:
    """Yield the faults of declared drawings, which have the right format.

    `aggregate` is the type's own, `config` the schema of configs.
    """
    for name, drawing in drawings.items():
        if name not in aggregate:
            known = ", ".join(aggregate) or "none"
            yield PointerFault(f"/{name}", "names no result of aggregate.json", f"Correct the name. Results: {known}.")
            continue
        operation = aggregate[name]["op"]
        yield from _operation_faults(f"/{name}", drawing, operation)
        yield from _config_faults(f"/{name}", drawing, config)


def names_pointer(drawing: Mapping[str, Any]) -> str | None:
    """Return the pointer into the config that declares the values of rows; None without one."""
    names = drawing.get("names")
    return None if names is None else names["in"] + names.get("value", "")


def _operation_faults(at: str, drawing: Mapping[str, Any], operation: str) -> Iterator[PointerFault]:
    charts = (*CHARTS[operation], NO_CHART)
    if drawing.get("chart", NO_CHART) not in charts:
        yield PointerFault(f"{at}/chart", f"cannot draw a result of {operation}", f"Use one of {', '.join(charts)}.")
    for member, operations in OPERATIONS_BY_MEMBER.items():
        if member in drawing and operation not in operations:
            remedy = f"Remove it. It is for {', '.join(sorted(operations))}."
            yield PointerFault(f"{at}/{member}", f"has no meaning for a result of {operation}", remedy)


def _config_faults(at: str, drawing: Mapping[str, Any], config: Schema) -> Iterator[PointerFault]:
    """Yield pointers into the config that lead to nothing that participants can read."""
    names = drawing.get("names", {})
    targets = {f"names/{member}": names["in"] + names[member] for member in ("value", "text") if member in names}
    if "in" in names and "value" not in names:
        targets["names/in"] = names["in"]
    if "unit" in drawing:
        targets["unit"] = drawing["unit"]
    for member, target in targets.items():
        here = f"{at}/{member}"
        faults = list(nowhere_faults(here, target, CONFIG_FILE, config))
        yield from faults
        if faults:
            continue
        unusable = unusable_type("x-in", schemas_at(config, target))
        if unusable is not None:
            yield PointerFault(here, f"leads to a value of type {unusable}", "Let it lead to a text or a number.")
        if scope_of(config, target) != PUBLIC:
            yield PointerFault(here, "leads to a part of the config that participants do not see", f"Remove {SCOPE} there.")
