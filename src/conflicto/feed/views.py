"""Views: what of a session each role may read, as pure decisions."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from conflicto.access.roles import Role
from conflicto.activities.model import ResponsesVisibility
from conflicto.responses.errors import ResponsesHidden

if TYPE_CHECKING:
    from conflicto.access.roles import Caller
    from conflicto.activities.model import Activity


class View(StrEnum):
    """The three ways to see a session; the admin sees it as hosts do."""

    HOST = "host"
    SCREEN = "screen"
    PARTICIPANT = "participant"


_VIEWS = {Role.ADMIN: View.HOST, Role.HOST: View.HOST, Role.SCREEN: View.SCREEN, Role.PARTICIPANT: View.PARTICIPANT}
_OPEN_TO = {
    View.HOST: frozenset(ResponsesVisibility),
    View.SCREEN: frozenset({ResponsesVisibility.SCREEN, ResponsesVisibility.PARTICIPANTS}),
    View.PARTICIPANT: frozenset({ResponsesVisibility.PARTICIPANTS}),
}


def view_of(caller: Caller) -> View:
    """Return the caller's view."""
    return view_of_role(caller.role)


def view_of_role(role: Role) -> View:
    """Return the view of a role."""
    return _VIEWS[role]


def can_read_responses(activity: Activity, view: View) -> bool:
    """Whether an activity's answers themselves are in a view."""
    return view is View.HOST or (activity.is_visible and activity.responses_visibility in _OPEN_TO[view])


def require_responses(activity: Activity, view: View) -> None:
    """Refuse a view in which the answers are closed, without a cursor.

    Raises:
        ResponsesHidden: `responses_visibility` does not open them to this role.
    """
    if not can_read_responses(activity, view):
        raise ResponsesHidden
