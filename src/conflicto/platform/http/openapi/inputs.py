"""Schemas of bodies and parameters, in forms that all client generators support."""

from __future__ import annotations

import json
from typing import Any


def without_null_defaults(schema: dict[str, Any]) -> None:
    """Remove defaults that are null: they say no more than that a member may be absent."""
    for member in schema.get("properties", {}).values():
        if member.get("default", 0) is None:
            del member["default"]


def describe_defaults(schema: dict[str, Any]) -> None:
    """Replace the defaults of a body's members by descriptions.

    Some generators send or require members with defaults. The server's default may depend on more
    than the schema, such as the activity's type.
    """
    if schema.get("additionalProperties") is not False:
        return  # only bodies refuse unknown members
    for member in schema.get("properties", {}).values():
        _describe_default(member, member)


def query_parameter(name: str, schema: dict[str, Any], *, required: bool) -> dict[str, Any]:
    """Return a parameter of the query.

    Its schema is without null, because queries cannot contain it. A reference is without siblings,
    as some generators require.
    """
    parameter: dict[str, Any] = {"name": name, "in": "query", "required": required, "schema": schema}
    schema.pop("title", None)
    for part in schema.pop("anyOf", ()):
        schema |= part if part.get("type") != "null" else {}
    if schema.get("default", 0) is None:
        del schema["default"]
    if "description" in schema:
        parameter["description"] = schema.pop("description")
    if "$ref" in schema:
        _describe_default(schema, parameter)
    return parameter


def _describe_default(schema: dict[str, Any], described: dict[str, Any]) -> None:
    if "default" in schema:
        default = f"Default: `{json.dumps(schema.pop('default'), ensure_ascii=False)}`."
        described["description"] = f"{described['description']} {default}" if "description" in described else default
