from itertools import product

import pytest

from conflicto.access.roles import MEMBERS, Caller, Role
from conflicto.activities.model import ActivityStatus, ResponsesVisibility
from conflicto.feed.pages import require_responses
from conflicto.responses.errors import ResponsesHidden
from conflicto.session_state.views import View, can_read_responses, view_of
from tests.support.samples import activity

OPEN = {
    View.HOST: {"host", "screen", "participants"},
    View.SCREEN: {"screen", "participants"},
    View.PARTICIPANT: {"participants"},
}


@pytest.mark.parametrize("role", sorted(MEMBERS))
def test_every_role_has_its_view(role: Role) -> None:
    assert view_of(Caller(role, "s")) is (View.HOST if role is Role.ADMIN else View(role.value))


@pytest.mark.parametrize(
    ("view", "visibility", "status", "deleted"), list(product(View, ResponsesVisibility, ActivityStatus, (False, True)))
)
def test_who_reads_the_answers(view: View, visibility: ResponsesVisibility, status: ActivityStatus, deleted: bool) -> None:
    one = activity(responses_visibility=visibility, status=status, deleted=deleted)
    known = status is not ActivityStatus.DRAFT and not deleted
    expected = view is View.HOST or (known and visibility.value in OPEN[view])

    assert can_read_responses(one, view) is expected
    if expected:
        require_responses(one, view)
    else:
        with pytest.raises(ResponsesHidden):
            require_responses(one, view)
