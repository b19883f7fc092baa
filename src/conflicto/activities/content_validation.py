"""Hold an activity's JSON against its type, if the type is registered, and add what the type says where the host says nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from conflicto.platform.problems import InvalidInput

if TYPE_CHECKING:
    from conflicto.activities.model import Content
    from conflicto.activity_types.registry import Registry


def validated_content(types: Registry, type_name: str, content: Content) -> Content:
    """Return the JSON as it is stored: with the type's way of counting and its scopes. A type that nobody registered takes anything.

    Raises:
        InvalidInput: `config` or `secret` is not what the type asks for.
    """
    known = types.find(type_name)
    if known is None:
        return replace(content, scopes=None)
    faults = known.content_errors(content.config, content.secret)
    if faults:
        raise InvalidInput(errors=faults)
    return replace(content, aggregate=content.aggregate or known.aggregate, scopes=known.scopes)


def validated_change(types: Registry, type_names: tuple[str, str], before: Content, after: Content) -> Content:
    """Return changed JSON as it is stored; `names` are the types before and after.

    What was stored before its type was registered, or by an earlier version of it, stays as it is until it is changed itself.

    Raises:
        InvalidInput: as `fitted` does.
    """
    old, new = type_names
    known = types.find(old)
    if old != new and known is not None and after.aggregate == known.aggregate:
        after = replace(after, aggregate=None)
    if (old, before.config, before.secret) != (new, after.config, after.secret):
        return validated_content(types, new, after)
    known = types.find(new)
    return replace(after, aggregate=after.aggregate or (known.aggregate if known else None))
