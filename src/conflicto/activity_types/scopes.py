"""Visibility of config properties: `x-scope`, stored with each activity as a short JSON text.

It is stored so that hidden properties stay hidden on a server that starts without the type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from conflicto.activity_types.json_schema.subset import SCOPE, SCOPES

if TYPE_CHECKING:
    from conflicto.activity_types.json_schema.subset import Schema

PUBLIC = "public"
AFTER_REVEAL = "after_reveal"

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_SCOPES = msgspec.json.Decoder(dict[str, list[str]])
_encode = msgspec.json.Encoder().encode


def scopes_of(config_schema: Schema) -> str | None:
    """Return the hidden properties of a config by scope, as JSON text; None if all are public."""
    properties = config_schema.get("properties", {})
    hidden = {
        scope: sorted(name for name, schema in properties.items() if schema.get(SCOPE) == scope)
        for scope in sorted(SCOPES - {PUBLIC})
    }
    hidden = {scope: names for scope, names in hidden.items() if names}
    return _encode(hidden).decode() if hidden else None


def shown_config(config: str, scopes: str | None, *, revealed: bool) -> str:
    """Return the config that everyone except hosts sees; remaining properties keep their bytes.

    >>> shown_config('{"question":"2+2?","notes":"easy"}', '{"host":["notes"]}', revealed=True)
    '{"question":"2+2?"}'
    """
    if scopes is None:
        return config
    hidden = {name for scope, names in _SCOPES.decode(scopes).items() if not (revealed and scope == AFTER_REVEAL) for name in names}
    members = _MEMBERS.decode(config)
    return _encode({name: value for name, value in members.items() if name not in hidden}).decode()
