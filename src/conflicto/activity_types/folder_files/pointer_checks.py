"""Checks of pointers: each leads to a value that a schema describes, and that can be used there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from conflicto.activity_types.folder_files.schema_files import CONFIG_FILE, RESPONSE_FILE, SECRET_FILE
from conflicto.activity_types.json_schema.config_pointers import USABLE_TYPES, names_at, schemas_at, unusable_type
from conflicto.activity_types.json_schema.subset import CONFIG_POINTERS, NAME_POINTERS, SCOPE, SUM_OF, UNIQUE, walk
from conflicto.activity_types.scopes import PUBLIC
from conflicto.aggregation.config_options import config_pointers
from conflicto.aggregation.operations import OPERATIONS
from conflicto.platform.strict_json import pointer_escape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflicto.activity_types.folder_files.folder_reader import FolderReader
    from conflicto.activity_types.folder_files.schema_files import TypeSchemas
    from conflicto.activity_types.json_schema.subset import Schema

SECRET_OPTIONS = ("key", "tolerance")
"""Options of an operation that may point into the secret."""

SCORE_MEMBERS = "all"
"""Option that lists several members of an answer, each with options of its own."""


class PointerFault(NamedTuple):
    """A pointer that leads nowhere: its place in the file, what is wrong, and the remedy."""

    pointer: str
    message: str
    remedy: str


def check_config_pointers(reader: FolderReader, schemas: TypeSchemas) -> None:
    """Report limits that lead nowhere in the config, to unusable values, or to hidden parts."""
    for file, schema in schemas.by_file():
        for pointer, part, _ in walk(schema):
            for keyword in sorted(CONFIG_POINTERS & part.keys()):
                if isinstance(target := part[keyword], str):
                    _check_limit(reader, file, f"{pointer}/{keyword}", target, schemas.config)
            for keyword in sorted({UNIQUE, SUM_OF} & part.keys()):
                if isinstance(element := part.get("items", part.get("additionalProperties")), dict):
                    _leads(reader, file, f"{pointer}/{keyword}", part[keyword], "an element", schema, element)


def _check_limit(reader: FolderReader, file: str, at: str, target: str, config: Schema) -> None:
    """Report a limit whose pointer leads nowhere, to an unusable value, or to a hidden part."""
    if _leads(reader, file, at, target, CONFIG_FILE, config):
        _check_type(reader, file, at, schemas_at(config, target))
    if file == RESPONSE_FILE and scope_of(config, target) != PUBLIC:
        message = "leads to a part of the config that participants do not see"
        reader.add(file, at, message, f"Remove {SCOPE} there, or this limit.")


def aggregate_faults(spec: dict[str, Any], schemas: TypeSchemas) -> Iterator[PointerFault]:
    """Yield the pointers of a valid spec that no answer, secret or config can hold.

    The loader, the API and upgrades of activities check specs with it.
    """
    for name, entry in spec.items():
        operation, path = OPERATIONS[entry["op"]], entry["path"]
        yield from nowhere_faults(f"/{name}/path", path, RESPONSE_FILE, schemas.response)
        for option, target in config_pointers(operation, entry).items():
            yield from nowhere_faults(f"/{name}/{option}", target, CONFIG_FILE, schemas.config)
        for option in operation.answer_options.keys() & entry.keys():
            target = path + operation.answer_options[option] + entry[option]
            yield from nowhere_faults(f"/{name}/{option}", target, RESPONSE_FILE, schemas.response)
        yield from _secret_faults(f"/{name}", entry, schemas)


def _secret_faults(at: str, entry: dict[str, Any], schemas: TypeSchemas) -> Iterator[PointerFault]:
    """Yield pointers of a score that no secret can hold, and members that no answer can hold."""
    for place, member in enumerate(entry.get(SCORE_MEMBERS, ())):
        here = f"{at}/{SCORE_MEMBERS}/{place}"
        yield from nowhere_faults(f"{here}/path", entry["path"] + member["path"], RESPONSE_FILE, schemas.response)
        yield from _secret_faults(here, member, schemas)
    for option in SECRET_OPTIONS:
        if isinstance(target := entry.get(option), str):
            yield from nowhere_faults(f"{at}/{option}", target, SECRET_FILE, schemas.secret or {"type": "null"})


def check_hint_pointers(reader: FolderReader, file: str, hints: dict[str, Any], schemas: TypeSchemas) -> None:
    """Report pointers of rehearsal hints that no secret or answer can hold."""
    if near := hints.get("near"):
        _leads(reader, file, "/near", near, SECRET_FILE, schemas.secret or {"type": "null"})
    for target in hints.get("always", ()):
        _leads(reader, file, f"/always/{pointer_escape(target)}", target, RESPONSE_FILE, schemas.response)


def _leads(reader: FolderReader, file: str, at: str, target: str, into: str, schema: Schema, start: Schema | None = None) -> bool:
    """Return whether a pointer leads to a described value; report it if it does not."""
    faults = list(nowhere_faults(at, target, into, schema, start))
    for fault in faults:
        reader.add(file, *fault)
    return not faults


def nowhere_faults(at: str, target: str, into: str, schema: Schema, start: Schema | None = None) -> Iterator[PointerFault]:
    """Yield the fault of a pointer that leads to no described value."""
    if not schemas_at(schema, target, start):
        names = ", ".join(names_at(schema, target, start)) or "none"
        yield PointerFault(at, f"leads nowhere in {into}", f"Correct the pointer. Names at its last step: {names}.")


def _check_type(reader: FolderReader, file: str, at: str, found: list[Schema]) -> None:
    keyword = at.rpartition("/")[2]
    unusable = unusable_type(keyword, found)
    if unusable is not None:
        usable = ", ".join(sorted(USABLE_TYPES[keyword]))
        hint = " For the elements of a list, end the pointer with /*." if unusable == "array" and keyword in NAME_POINTERS else ""
        reader.add(file, at, f"leads to a value of type {unusable}", f"Usable types: {usable}.{hint}")


def scope_of(config: Schema, target: str) -> str:
    """Return the scope of the config's property that a pointer begins with."""
    name = target.split("/")[1:2]
    properties = config.get("properties", {})
    scope: str = properties.get(name[0].replace("~1", "/").replace("~0", "~"), {}).get(SCOPE, PUBLIC) if name else PUBLIC
    return scope
