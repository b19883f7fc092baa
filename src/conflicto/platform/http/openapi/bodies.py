"""Schemas of request bodies: defaults in words, because generators that read `default` send or demand the field."""

from __future__ import annotations

import json
from typing import Any


def describe_defaults(schema: dict[str, Any]) -> None:
    """Replace the defaults of a body's members by a sentence. The server has more to go by than the schema, such as an activity's type."""
    if schema.get("additionalProperties") is not False:
        return  # only bodies refuse unknown members
    for member in schema.get("properties", {}).values():
        if "default" in member:
            said = member.get("description")
            default = f"Default: `{json.dumps(member.pop('default'), ensure_ascii=False)}`."
            member["description"] = f"{said} {default}" if said else default
