"""Response and request bodies of activity types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from pydantic import BaseModel, Field
from typing_extensions import TypeAliasType

from conflicto.activity_types.folder_files.manifest import SDK, VERSION
from conflicto.platform.http.formats import OptionalJsonText
from conflicto.platform.http.paging import PageOut, StrictModel, example, page_example
from conflicto.platform.http.text_patterns import text_pattern

if TYPE_CHECKING:
    from conflicto.activity_types.model import ActivityType
    from conflicto.activity_types.registry import RejectedType

VERSION_PATTERN = text_pattern(VERSION, "must be one to three numbers, such as 2 or 1.4.0")

Json = Any
JsonObject = TypeAliasType("JsonObject", dict[str, Json])
Texts = TypeAliasType("Texts", dict[str, str])

SUMMARY_EXAMPLE: dict[str, Any] = {
    "type": "lunch", "version": "1", "title": "Lunch", "icon": "🍲", "sdk": "1", "order": 3, "defaults": {"response_policy": "first"},
    "texts": {"de": {"title": "Mittagessen", "description": "Wo essen wir?"}}, "ui": ["participant", "screen"],
}  # fmt: skip

TYPE_EXAMPLE: dict[str, Any] = SUMMARY_EXAMPLE | {
    "authors": ["Anna Example"], "license": "Apache-2.0", "homepage": "https://example.org/lunch", "requires": ">=0.1",
    "versions": ["1"],
    "fresh": {"config": {"places": ["", ""]}},
    "config_schema": {"type": "object", "properties": {"places": {"type": "array", "items": {"type": "string"}}}},
    "response_schema": {"type": "object", "properties": {"place": {"x-in": "/places/*"}}},
    "secret_schema": {"type": "object", "properties": {"surprise": {"type": "string"}}},
    "aggregate": {"places": {"path": "/place", "op": "count"}}, "drawing": {"places": {"chart": "bars"}},
    "examples": [{"config": {"places": ["Curry", "Soup"]}, "responses": [{"place": "Soup"}]}],
    "catalogs": {"de": {"title": "Mittagessen", "description": "Wo essen wir?", "config.places": "Orte"}},
}  # fmt: skip


FAULT_EXAMPLE: dict[str, Any] = {
    "file": "lunch/response.schema.json", "line": 4, "pointer": "/properties/places/x-max-items",
    "message": "leads nowhere in config.schema.json", "remedy": "Correct the pointer. Names at its last step: limit, places.",
}  # fmt: skip

REJECTED_EXAMPLE: dict[str, Any] = {"name": "lunch", "origin": "folder", "faults": [FAULT_EXAMPLE]}


class TypeSummary(BaseModel):
    """A registered activity type. `texts` holds title and description by locale, `ui` its views."""

    model_config = example(**SUMMARY_EXAMPLE)

    type: str
    version: str
    title: str
    icon: str
    sdk: str
    order: int
    defaults: JsonObject
    texts: dict[str, Texts]
    ui: list[str]


class TypePage(PageOut):
    """A list of activity types, in the order in which a front end may offer them."""

    model_config = page_example(SUMMARY_EXAMPLE)

    items: list[TypeSummary]


class TypeOut(TypeSummary):
    """A registered activity type with schemas, examples and texts by locale and key.

    `fresh` is the initial config and secret in an editor, which need not be valid yet. `drawing`
    declares charts and names by result. `versions` are the registered versions, newest first.
    """

    model_config = example(**TYPE_EXAMPLE)

    authors: list[str]
    license: str | None
    homepage: str | None
    requires: str | None
    versions: list[str]
    fresh: JsonObject
    config_schema: JsonObject
    response_schema: JsonObject
    secret_schema: JsonObject | None
    aggregate: JsonObject | None
    drawing: JsonObject
    examples: list[JsonObject]
    catalogs: dict[str, Texts]


class VersionQuery(StrictModel):
    """Query of a type: its version, the newest one if omitted."""

    version: Annotated[str, VERSION_PATTERN] | None = None


class ValidateIn(StrictModel):
    """Config, secret and answer of an activity; each is optional."""

    model_config = example(config={"places": ["Curry", "Soup"]}, response_data={"place": "Pizza"})

    config: OptionalJsonText = None
    secret: OptionalJsonText = None
    response_data: OptionalJsonText = Field(
        None, description="Without a config, only the rules that hold for every config are checked."
    )


class ContentErrorOut(BaseModel):
    """An error: a JSON pointer into the body, and a message."""

    model_config = example(pointer="/response_data/place", message="is not one of the allowed values")

    pointer: str
    message: str


class ValidationOut(BaseModel):
    """Result of a validation."""

    model_config = example(valid=False, errors=[ContentErrorOut.model_config["json_schema_extra"]["examples"][0]])  # type: ignore[index] # made by `example`

    valid: bool
    errors: list[ContentErrorOut]


class TypeFaultOut(BaseModel):
    """A fault of a type's folder: its place, and what to do. `line` counts from 1."""

    model_config = example(**FAULT_EXAMPLE)

    file: str
    line: int | None
    pointer: str
    message: str
    remedy: str


class RejectedTypeOut(BaseModel):
    """A type that the server left out when it started. `name` is that of its folder or package."""

    model_config = example(**REJECTED_EXAMPLE)

    name: str
    origin: str
    faults: list[TypeFaultOut]


class RejectedTypes(BaseModel):
    """Activity types that the server left out; it serves all others."""

    model_config = example(items=[REJECTED_EXAMPLE])

    items: list[RejectedTypeOut]


def rejected_type_out(rejected: RejectedType) -> dict[str, Any]:
    """Return a type that was left out."""
    return {
        "name": rejected.name,
        "origin": str(rejected.origin),
        "faults": [
            {"file": each.file, "line": each.line, "pointer": each.pointer, "message": each.message, "remedy": each.remedy}
            for each in rejected.faults
        ],
    }


def type_summary_out(activity_type: ActivityType) -> dict[str, Any]:
    """Return a type as in lists."""
    return {
        "type": activity_type.name,
        "version": activity_type.version,
        "title": activity_type.title,
        "icon": activity_type.icon,
        "sdk": SDK,
        "order": activity_type.order,
        "defaults": activity_type.defaults,
        "texts": {
            locale: {key: catalog[key] for key in ("title", "description") if key in catalog}
            for locale, catalog in activity_type.catalogs.items()
        },
        "ui": activity_type.ui,
    }


def type_out(activity_type: ActivityType) -> dict[str, Any]:
    """Return a type with all fields."""
    return type_summary_out(activity_type) | {
        "authors": activity_type.authors,
        "license": activity_type.license,
        "homepage": activity_type.homepage,
        "requires": activity_type.requires,
        "fresh": activity_type.fresh,
        "config_schema": activity_type.config_schema,
        "response_schema": activity_type.response_schema,
        "secret_schema": activity_type.secret_schema,
        "aggregate": None if activity_type.aggregate is None else msgspec.Raw(activity_type.aggregate.encode()),
        "drawing": activity_type.drawings,
        "examples": activity_type.examples,
        "catalogs": activity_type.catalogs,
    }
