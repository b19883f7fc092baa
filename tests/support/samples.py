"""Sample objects for tests of pure code, with fields changed by keyword."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from conflicto.activities.model import (
    Activity,
    ActivityStatus,
    ModerationPolicy,
    ResponsePolicy,
    ResponsesVisibility,
    ResultsVisibility,
)
from conflicto.responses.model import NO_SLOT, Moderation, ParticipantResponse

ACTIVITY = Activity(
    id=UUID(int=1), session_id=7, type="lunch", title=None, order_index=0, status=ActivityStatus.DRAFT, response_policy=ResponsePolicy.ONE,
    results_visibility=ResultsVisibility.AFTER_REVEAL, responses_visibility=ResponsesVisibility.HOST, moderation=ModerationPolicy.OFF,
    anonymous=False, duration_seconds=None, round=1, started_ts=None, ends_us=None, results_revealed=False, secret_revealed=False,
    was_revealed=False, published_ts=None, revision=1, deleted=False, created_ts=5, updated_ts=5,
)  # fmt: skip
RESPONSE = ParticipantResponse(
    id=UUID(int=2), session_id=7, activity_id=UUID(int=1), participant_id=3, round=1, slot=NO_SLOT, ts=10, created_ts=10, received_us=10,
    revision=1, deleted=False, moderation=Moderation.VISIBLE, was_visible=True, text="1",
)  # fmt: skip


def activity(**fields: Any) -> Activity:
    return replace(ACTIVITY, **fields)


def response(**fields: Any) -> ParticipantResponse:
    return replace(RESPONSE, **fields)
