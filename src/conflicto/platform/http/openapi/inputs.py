"""Schemas of bodies and parameters, in forms that all client generators support."""

from __future__ import annotations

import json
from typing import Any


def describe_defaults(schema: dict[str, Any]) -> None:
    """Replace the defaults of a body's members by descriptions.

    Some generators send or require members with defaults. The server's default may depend on more
    than the schema, such as the activity's type.
    """
    if schema.get("additionalProperties") is not False:
        return  # only bodies refuse unknown members
    for member in schema.get("properties", {}).values():
        _describe_default(member, member)


def simplify_parameter(parameter: dict[str, Any]) -> None:
    """Remove null from a query parameter's schema, because queries cannot contain it.

    Keep a reference without siblings, as some generators require.
    """
    schema = parameter.get("schema", {})
    schema.pop("title", None)
    if parameter.get("in") != "query":
        return
    for part in schema.pop("anyOf", ()):
        schema |= part if part.get("type") != "null" else {}
    if "description" in schema:
        parameter["description"] = schema.pop("description")
    if "$ref" in schema:
        _describe_default(schema, parameter)


def _describe_default(schema: dict[str, Any], described: dict[str, Any]) -> None:
    if "default" in schema:
        default = f"Default: `{json.dumps(schema.pop('default'), ensure_ascii=False)}`."
        described["description"] = f"{described['description']} {default}" if "description" in described else default
