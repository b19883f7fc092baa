"""Data about activity types for pages: views and texts for all, schemas for forms of hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from conflicto.activity_types.json_schema.binding import defaults_of
from conflicto.activity_types.json_schema.subset import SCOPE, map_children
from conflicto.activity_types.response_parts import label_property
from conflicto.activity_types.scopes import PUBLIC
from conflicto.web.view_frames import is_framed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflicto.activity_types.json_schema.subset import Schema
    from conflicto.activity_types.model import ActivityType

BASE_LOCALE = "en"

FORM_TEXTS = ("title", "description", "config.", "secret.", "starter.")
"""Prefixes of texts for hosts' forms. All other texts belong to views."""

_REF = "#/$defs/"


def type_data(known: ActivityType, locale: str) -> dict[str, Any]:
    """Return the data that every page needs to show activities of a type.

    `views` lists the type's own views, `framed` is true if they run in frames. `headline` names the
    config property that is the question. `config_defaults` holds the defaults of public properties.
    `value_sources` describes, by name of the aggregation, the values that can occur. `texts` holds
    the texts of the views.
    """
    data = {
        "views": list(known.ui), "framed": bool(known.ui) and is_framed(known), "version": known.version,
        "headline": _headline(known), "config_defaults": _public_defaults(known),
        "value_sources": dict(_value_sources(known)),
        "texts": {key: text for key, text in _texts(known, locale).items() if not key.startswith(FORM_TEXTS)},
    }  # fmt: skip
    return {key: value for key, value in data.items() if value}


def host_type_data(known: ActivityType, locale: str) -> dict[str, Any]:
    """Return the data that hosts' pages need: also schemas and the texts of forms."""
    texts = _texts(known, locale)
    secret = known.secret_schema
    return type_data(known, locale) | {
        "icon": known.icon, "title": texts.get("title", known.title), "description": texts.get("description", ""), "texts": texts,
        "fresh": known.fresh, "defaults": known.defaults, "config_defaults": defaults_of(known.config_schema),
        "config": _inlined(known.config_schema), "secret": _inlined(secret) if secret else None,
    }  # fmt: skip


def _texts(known: ActivityType, locale: str) -> dict[str, str]:
    return known.catalogs.get(BASE_LOCALE, {}) | known.catalogs.get(locale, {})


def _inlined(schema: Schema, definitions: Schema | None = None) -> Schema:
    """Return a schema with every reference replaced by its definition."""
    definitions = schema.get("$defs", {}) if definitions is None else definitions
    if "$ref" in schema:
        schema = definitions[schema["$ref"].removeprefix(_REF)] | {key: value for key, value in schema.items() if key != "$ref"}
    inlined = map_children(schema, lambda part: _inlined(part, definitions))
    return {key: value for key, value in inlined.items() if key not in {"$schema", "$defs"}}


def _public_properties(known: ActivityType) -> dict[str, Schema]:
    properties = _inlined(known.config_schema).get("properties", {})
    return {name: schema for name, schema in properties.items() if schema.get(SCOPE, PUBLIC) == PUBLIC}


def _public_defaults(known: ActivityType) -> dict[str, Any]:
    return {name: value for name, value in defaults_of(known.config_schema).items() if name in _public_properties(known)}


def _headline(known: ActivityType) -> str | None:
    """Return the name of the first public text of a config, which is the question."""
    return next((name for name, schema in _public_properties(known).items() if schema.get("type") == "string"), None)


def _value_sources(known: ActivityType) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each name of the aggregation with the source of its values: a list or two bounds."""
    response = _inlined(known.response_schema)
    for name, spec in msgspec.json.decode(known.aggregate or "{}").items():
        part = _schema_at(response, spec["path"] + spec.get("option", ""))
        if "x-in" in part:
            seconds = _second_source(known, _schema_at(response, spec["path"] + "/*")) if "with" in spec else {}
            yield name, _config_source(known, part["x-in"]) | seconds
        elif part.get("type") == "integer" and {"x-min", "x-max"} <= part.keys():
            yield name, {"min": part["x-min"], "max": part["x-max"]}
        elif part.get("type") == "integer" and {"minimum", "maximum"} <= part.keys():
            yield name, {"from": part["minimum"], "to": part["maximum"]}


def _config_source(known: ActivityType, pointer: str) -> dict[str, Any]:
    return {"in": pointer, "label": _label_property(known, pointer)}


def _second_source(known: ActivityType, values: Schema) -> dict[str, Any]:
    """Return the source of the values that an object's names are paired with, if it is known."""
    return {"second": _config_source(known, values["x-in"])} if "x-in" in values else {}


def _schema_at(schema: Schema, pointer: str) -> Schema:
    """Return the schema at a pointer into a response, or of the elements or names there.

    The step `*` leads to the values of an object whose names come from the config.
    """
    for step in pointer.split("/")[1:]:
        schema = schema.get("items", schema)
        properties = schema.get("properties", {})
        schema = properties.get(step) or (schema.get("additionalProperties") if step == "*" else None) or {}
    items: Schema = schema.get("items", schema)
    names: Schema = items.get("propertyNames", items)
    return names


def _label_property(known: ActivityType, pointer: str) -> str | None:
    """Return the property that labels an id in a list: the first text beside it."""
    name, _, key = pointer.removeprefix("/").partition("/*/")
    return label_property(_public_properties(known).get(name, {}).get("items", {}).get("properties", {}), key)
