"""Commits for peers: events of a crowd travel, everything else is read from the database."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest

from conflicto.activities.events import CountsChanged, RoundClosed
from conflicto.activities.model import Counts
from conflicto.participants.events import ParticipantChanged
from conflicto.participants.model import Participant
from conflicto.platform.db.group import Committed
from conflicto.platform.db.sequence import FeedHead
from conflicto.platform.peers import commits
from conflicto.platform.peers.commits import CommitCodec
from conflicto.platform.peers.messages import decode_messages, encode_messages
from conflicto.responses.events import ResponsesChanged, ResponsesPooled
from conflicto.responses.model import NO_SLOT, Moderation, ParticipantResponse
from conflicto.responses.pool.model import PooledResponse
from conflicto.results.state_parts import STATE_PARTS
from conflicto.sessions.events import LinkChanged

ACTIVITY = UUID(int=1)
RESPONSE = ParticipantResponse(
    id=UUID(int=2), session_id=7, activity_id=ACTIVITY, participant_id=3, round=1, slot=NO_SLOT, ts=20, created_ts=10, received_us=9,
    revision=2, deleted=False, moderation=Moderation.PENDING, was_visible=False, text='"a"', masked=None,
)  # fmt: skip
POOLED = PooledResponse(
    id=UUID(int=2), session_id=7, activity_id=ACTIVITY, participant_id=3, round=1, slot=NO_SLOT, ts=20, created_ts=10, received_us=9,
    revision=1, deleted=False, is_spent=False, moderation=Moderation.VISIBLE, due_us=30, text='"a"',
)  # fmt: skip
PERSON = Participant(
    id=3, session_id=7, nickname="Ada", nickname_key="ada", token_version=1, last_seen_us=1, revision=1, deleted=False, scripted=False,
    created_ts=1, updated_ts=1,
)  # fmt: skip
EVENTS = [
    ParticipantChanged(PERSON),
    ResponsesChanged(7, [(None, RESPONSE), (RESPONSE, replace(RESPONSE, deleted=True, text=None, participant_id=None))]),
    CountsChanged(7, ACTIVITY, 1, Counts(live=2, live_last_ts=20)),
    ResponsesPooled(7, [POOLED], {ACTIVITY: 30}, [UUID(int=3)], (1, 2)),
]


@pytest.fixture
def codec() -> CommitCodec:
    return CommitCodec(STATE_PARTS.handlers, STATE_PARTS.event_fields)


def travelled(codec: CommitCodec, events: Sequence[object]) -> Sequence[object] | None:
    """Return the events as a peer reads them."""
    committed = Committed(events, {7: FeedHead(7, 20, 1, {"responses": 1})})
    (message,) = decode_messages(encode_messages([codec.encode(committed)]))
    commit = codec.decode(message)  # type: ignore[arg-type]
    assert commit.heads == {7: replace(FeedHead(7, 20, 1, {"responses": 1}), changed=True)}
    return commit.events


def test_events_of_a_crowd_arrive_as_they_were(codec: CommitCodec) -> None:
    assert travelled(codec, EVENTS) == EVENTS


def test_events_that_no_state_follows_stay_at_home(codec: CommitCodec) -> None:
    assert travelled(codec, [RoundClosed(None), EVENTS[0]]) == EVENTS[:1]  # type: ignore[arg-type]


def test_a_commit_with_any_other_event_must_be_read(codec: CommitCodec) -> None:
    assert travelled(codec, [*EVENTS, LinkChanged(None)]) is None


def test_a_commit_that_is_too_large_must_be_read(codec: CommitCodec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "MAX_EVENTS_BYTES", 100)
    assert travelled(codec, [EVENTS[1]]) is None
