"""Schemas of a type's folder: read, checked and compiled."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

from conflicto.activity_types.json_schema.subset import KEYWORDS, SCOPE, Schema, subset_errors, walk
from conflicto.activity_types.json_schema.validator import compile_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflicto.activity_types.errors import UnsupportedSchema
    from conflicto.activity_types.folder_files.folder_reader import FolderReader

CONFIG_FILE = "config.schema.json"
RESPONSE_FILE = "response.schema.json"
SECRET_FILE = "secret.schema.json"  # noqa: S105 - a file's name

_SEE_SUBSET = "docs/activity-types-reference.md lists the keywords and their values."


class TypeSchemas(NamedTuple):
    """The schemas of a type; `secret` is None without a secret."""

    config: Schema
    response: Schema
    secret: Schema | None

    def by_file(self) -> Iterator[tuple[str, Schema]]:
        """Yield the schemas with the names of their files."""
        yield from ((CONFIG_FILE, self.config), (RESPONSE_FILE, self.response))
        if self.secret is not None:
            yield SECRET_FILE, self.secret


def read_schemas(reader: FolderReader) -> TypeSchemas | None:
    """Return the schemas of a folder; None if one is missing or not within the subset."""
    config, response = _schema(reader, CONFIG_FILE), _schema(reader, RESPONSE_FILE)
    has_secret = reader.has(SECRET_FILE)
    secret = _schema(reader, SECRET_FILE) if has_secret else None
    if config is not None and config.get("type") != "object":
        reader.add(CONFIG_FILE, "/type", "a config is an object", 'Write "type": "object".')
    if config is None or response is None or (has_secret and secret is None):
        return None
    return TypeSchemas(config, response, secret)


def _schema(reader: FolderReader, file: str) -> Schema | None:
    value = reader.json(file)
    if value is None:
        return None
    errors = list(subset_errors(value)) or compile_errors(value)
    for error in errors:
        reader.add(file, error.pointer, error.reason, _remedy(error))
    if errors:
        return None
    schema: Schema = value
    for pointer, part, _ in walk(schema):
        if SCOPE in part and file != CONFIG_FILE:
            reader.add(file, f"{pointer}/{SCOPE}", "only a config has scopes", "Remove it.")
    return schema


def _remedy(error: UnsupportedSchema) -> str:
    keyword = error.pointer.rpartition("/")[2]
    similar = get_close_matches(keyword, KEYWORDS, n=1) if keyword not in KEYWORDS else []
    return f"Write {similar[0]}, or remove it." if similar else _SEE_SUBSET
