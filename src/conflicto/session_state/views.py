"""Views: the parts of a session that each role may read, as pure functions."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from conflicto.access.roles import Role
from conflicto.activities.model import ResponsesVisibility

if TYPE_CHECKING:
    from conflicto.access.roles import Caller
    from conflicto.activities.model import Activity


class View(StrEnum):
    """Views of a session. The admin has the view of hosts."""

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
    return _VIEWS[caller.role]


def view_of_role(role: Role) -> View:
    """Return the view of a role."""
    return _VIEWS[role]


def can_read_responses(activity: Activity, view: View) -> bool:
    """Return whether a view includes an activity's responses."""
    return view is View.HOST or (activity.is_visible and activity.responses_visibility in _OPEN_TO[view])
