"""Validation of an activity's JSON against the version of its type, and the type's defaults."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from conflicto.platform.problems import FieldError, InvalidInput

if TYPE_CHECKING:
    from conflicto.activities.model import Activity, Content
    from conflicto.activity_types.model import ActivityType
    from conflicto.activity_types.registry import Registry


def chosen_type(types: Registry, name: str, version: str | None) -> ActivityType | None:
    """Return the type in the wanted version, the newest one if None.

    None: the type was never registered, so its activities are opaque JSON.

    Raises:
        InvalidInput: the server does not have the wanted version.
        TypeUnavailable: the type was left out at start, or was registered before.
    """
    if types.is_missing(name):
        raise types.missing(name)
    if version is None:
        return types.find(name)
    found = types.find_version(name, version)
    if found is None:
        known = ", ".join(types.versions(name))
        reason = f"must be one of {known}" if known else "must be omitted, as this server has no such type"
        raise InvalidInput(errors=(FieldError("/type_version", reason),))
    return found


def validated_content(
    types: Registry, name: str, version: str | None, content: Content, *, stored_aggregate: str | None = None
) -> tuple[str | None, Content]:
    """Return the version and the JSON to store, with the type's aggregate and scopes.

    `stored_aggregate` was valid under the same version, and is not checked again.

    Types that were never registered accept any JSON and have no version.

    Raises:
        InvalidInput: `config`, `secret` or `aggregate` does not fit the type, or there is no such
            version.
        TypeUnavailable: as in `chosen_type`.
    """
    activity_type = chosen_type(types, name, version)
    if activity_type is None:
        return None, replace(content, scopes=None)
    faults = activity_type.content_errors(content.config, content.secret)
    if faults:
        raise InvalidInput(errors=faults)
    if content.aggregate != stored_aggregate:
        _check_aggregate(activity_type, content)
    aggregate = content.aggregate or activity_type.aggregate
    return activity_type.version, replace(content, aggregate=aggregate, scopes=activity_type.scopes)


def validated_change(
    types: Registry, before: tuple[Activity, Content], after: tuple[Activity, Content]
) -> tuple[str | None, Content]:
    """Return the version and the JSON to store of a changed activity.

    `type_version` None of `after` means the present one for the same type, else the newest one.
    JSON that does not change is not checked again.

    Raises:
        InvalidInput: as in `validated_content`.
        TypeUnavailable: the JSON changes, but this server lacks the activity's type or version.
    """
    (old, old_content), (new, content) = before, after
    is_same_type = old.type == new.type
    wanted = new.type_version or (old.type_version if is_same_type else None)
    is_same_version = is_same_type and wanted == old.type_version
    old_type = types.find_version(old.type, old.type_version)
    if is_same_version and (old_content.config, old_content.secret) == (content.config, content.secret):
        if old_type is not None and content.aggregate != old_content.aggregate:
            _check_aggregate(old_type, content)
        return wanted, replace(content, aggregate=content.aggregate or (old_type.aggregate if old_type else None))
    if is_same_version and types.is_unavailable(old.type, wanted):
        raise types.unavailable(old.type, wanted)
    if not is_same_version and old_type is not None and content.aggregate == old_type.aggregate:
        content = replace(content, aggregate=None)
    is_recorded = types.find_version(new.type, wanted) is not None or new.type_version is not None
    stored = old_content.aggregate if is_same_version and old_type is not None else None
    return validated_content(types, new.type, wanted if is_recorded else None, content, stored_aggregate=stored)


def _check_aggregate(activity_type: ActivityType, content: Content) -> None:
    """Raise `InvalidInput` for an aggregate whose pointers lead nowhere in the type's schemas."""
    errors = activity_type.aggregate_errors(content.aggregate) if content.aggregate is not None else ()
    if errors:
        raise InvalidInput(errors=errors)
