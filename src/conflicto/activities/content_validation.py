"""Validation of an activity's JSON against its type, and the type's defaults."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from conflicto.platform.problems import InvalidInput

if TYPE_CHECKING:
    from conflicto.activities.model import Content
    from conflicto.activity_types.registry import Registry


def validated_content(types: Registry, type_name: str, content: Content) -> Content:
    """Return the JSON to store, with the type's aggregate and scopes.

    Unregistered types accept any JSON.

    Raises:
        InvalidInput: `config` or `secret` does not fit the type.
    """
    activity_type = types.find(type_name)
    if activity_type is None:
        return replace(content, scopes=None)
    faults = activity_type.content_errors(content.config, content.secret)
    if faults:
        raise InvalidInput(errors=faults)
    return replace(content, aggregate=content.aggregate or activity_type.aggregate, scopes=activity_type.scopes)


def validated_change(types: Registry, type_names: tuple[str, str], before: Content, after: Content) -> Content:
    """Return changed JSON to store; `type_names` are the types before and after.

    JSON that predates its type, or the type's version, stays as it is until it changes.

    Raises:
        InvalidInput: as in `validated_content`.
    """
    old, new = type_names
    activity_type = types.find(old)
    if old != new and activity_type is not None and after.aggregate == activity_type.aggregate:
        after = replace(after, aggregate=None)
    if (old, before.config, before.secret) != (new, after.config, after.secret):
        return validated_content(types, new, after)
    activity_type = types.find(new)
    return replace(after, aggregate=after.aggregate or (activity_type.aggregate if activity_type else None))
