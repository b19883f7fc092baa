"""Data about activity types for pages: views and texts for all, schemas for forms of hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conflicto.activity_types.json_schema.binding import defaults_of
from conflicto.activity_types.json_schema.subset import SCOPE
from conflicto.activity_types.names import BASE_LOCALE, RESPONSE_TEXTS, RESULT_TEXTS
from conflicto.activity_types.scopes import PUBLIC
from conflicto.web.inlining import inlined
from conflicto.web.result_data import drawings, response_shape, value_sources
from conflicto.web.view_frames import is_framed

if TYPE_CHECKING:
    from conflicto.activity_types.json_schema.subset import Schema
    from conflicto.activity_types.model import ActivityType

FORM_TEXTS = ("title", "description", "config.", "secret.", "starter.", RESPONSE_TEXTS, RESULT_TEXTS)
"""Prefixes of texts for hosts' forms, and of names, which pages get with the drawings. All other
texts belong to views.
"""


def type_data(known: ActivityType, locale: str) -> dict[str, Any]:
    """Return the data that every page needs to show activities of a type.

    `views` lists the type's own views, `framed` is true if they run in frames. `headline` names the
    config property that is the question. `config_defaults` holds the defaults of public properties.
    `value_sources` describes, by name of the aggregation, the values that can occur, `drawings` how
    each result is drawn. `texts` holds the texts of the views.
    """
    data = {
        "views": list(known.ui), "framed": bool(known.ui) and is_framed(known), "version": known.version,
        "headline": _headline(known), "config_defaults": _public_defaults(known),
        "value_sources": dict(value_sources(known, locale)), "drawings": dict(drawings(known, locale)),
        "texts": {key: text for key, text in _texts(known, locale).items() if not key.startswith(FORM_TEXTS)},
    }  # fmt: skip
    return {key: value for key, value in data.items() if value}


def host_type_data(known: ActivityType, locale: str) -> dict[str, Any]:
    """Return the data that hosts' pages need: also schemas, the texts of forms, and `response`.

    `response` is the shape of responses, by which a page writes them in words.
    """
    texts = _texts(known, locale)
    secret = known.secret_schema
    return type_data(known, locale) | {
        "icon": known.icon, "title": texts.get("title", known.title), "description": texts.get("description", ""), "texts": texts,
        "fresh": known.fresh, "defaults": known.defaults, "config_defaults": defaults_of(known.config_schema),
        "config": inlined(known.config_schema), "secret": inlined(secret) if secret else None,
        "response": response_shape(known, locale),
    }  # fmt: skip


def _texts(known: ActivityType, locale: str) -> dict[str, str]:
    return known.catalogs.get(BASE_LOCALE, {}) | known.catalogs.get(locale, {})


def _public_properties(known: ActivityType) -> dict[str, Schema]:
    properties = inlined(known.config_schema).get("properties", {})
    return {name: schema for name, schema in properties.items() if schema.get(SCOPE, PUBLIC) == PUBLIC}


def _public_defaults(known: ActivityType) -> dict[str, Any]:
    return {name: value for name, value in defaults_of(known.config_schema).items() if name in _public_properties(known)}


def _headline(known: ActivityType) -> str | None:
    """Return the name of the first public text of a config, which is the question."""
    return next((name for name, schema in _public_properties(known).items() if schema.get("type") == "string"), None)
