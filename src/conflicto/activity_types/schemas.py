"""What activity types look like on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from pydantic import BaseModel, Field
from typing_extensions import TypeAliasType

from conflicto.activity_types.manifest import SDK
from conflicto.platform.http.paging import PageOut, StrictModel, example, page_example

if TYPE_CHECKING:
    from conflicto.activity_types.model import ActivityType

Json = Any
JsonObject = TypeAliasType("JsonObject", dict[str, Json])
Texts = TypeAliasType("Texts", dict[str, str])

SUMMARY_EXAMPLE: dict[str, Any] = {
    "type": "lunch", "version": "1", "title": "Lunch", "icon": "🍲", "sdk": "1", "order": 3, "defaults": {"response_policy": "first"},
    "texts": {"de": {"title": "Mittagessen", "description": "Wo essen wir?"}}, "ui": ["participant", "screen"],
}  # fmt: skip

TYPE_EXAMPLE: dict[str, Any] = SUMMARY_EXAMPLE | {
    "fresh": {"config": {"places": ["", ""]}},
    "config_schema": {"type": "object", "properties": {"places": {"type": "array", "items": {"type": "string"}}}},
    "response_schema": {"type": "object", "properties": {"place": {"x-in": "/places/*"}}},
    "secret_schema": {"type": "object", "properties": {"surprise": {"type": "string"}}},
    "aggregate": {"places": {"path": "/place", "op": "count"}},
    "examples": [{"config": {"places": ["Curry", "Soup"]}, "responses": [{"place": "Soup"}]}],
    "catalogs": {"de": {"title": "Mittagessen", "description": "Wo essen wir?", "config.places": "Orte"}},
}  # fmt: skip


class TypeSummary(BaseModel):
    """A registered activity type. `texts` holds its title and description by locale, `ui` the views that it brings."""

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
    """A registered activity type whole, with texts by locale and key. `fresh` is what an editor begins with; it need not fit yet."""

    model_config = example(**TYPE_EXAMPLE)

    fresh: JsonObject
    config_schema: JsonObject
    response_schema: JsonObject
    secret_schema: JsonObject | None
    aggregate: JsonObject | None
    examples: list[JsonObject]
    catalogs: dict[str, Texts]


class ValidateIn(StrictModel):
    """What an activity of this type would hold, and an answer to it; any of them may be left out."""

    model_config = example(config={"places": ["Curry", "Soup"]}, response_data={"place": "Pizza"})

    config: Json = None
    secret: Json = None
    response_data: Json = Field(None, description="Without a config, only what holds for every config is looked at.")


class ContentErrorOut(BaseModel):
    """One thing that does not fit: a JSON pointer into the body, and what is wrong there."""

    model_config = example(pointer="/response_data/place", message="is none of the values that are allowed here")

    pointer: str
    message: str


class ValidationOut(BaseModel):
    """Whether everything fits, and what does not."""

    model_config = example(valid=False, errors=[ContentErrorOut.model_config["json_schema_extra"]["examples"][0]])  # type: ignore[index] # made by `example`

    valid: bool
    errors: list[ContentErrorOut]


def type_summary_out(known: ActivityType) -> dict[str, Any]:
    """Return a type as lists show it."""
    return {
        "type": known.name,
        "version": known.version,
        "title": known.title,
        "icon": known.icon,
        "sdk": SDK,
        "order": known.order,
        "defaults": known.defaults,
        "texts": {
            locale: {key: catalog[key] for key in ("title", "description") if key in catalog}
            for locale, catalog in known.catalogs.items()
        },
        "ui": known.ui,
    }


def type_out(known: ActivityType) -> dict[str, Any]:
    """Return a type whole."""
    return type_summary_out(known) | {
        "fresh": known.fresh,
        "config_schema": known.config_schema,
        "response_schema": known.response_schema,
        "secret_schema": known.secret_schema,
        "aggregate": None if known.aggregate is None else msgspec.Raw(known.aggregate.encode()),
        "examples": known.examples,
        "catalogs": known.catalogs,
    }
