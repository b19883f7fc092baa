from types import SimpleNamespace
from uuid import UUID

from conflicto.activities.events import ActivityChanged, CountsChanged
from conflicto.participants.events import ParticipantChanged
from conflicto.platform.db.sequence import FeedHead
from conflicto.responses.events import RemoteResponsesChanged, ResponsesChanged, ResponsesPooled
from conflicto.responses.recent_responses import RecentResponses, RemoteResponses
from conflicto.results.state_parts import STATE_PARTS
from conflicto.session_state.remote_changes import RemoteChanges, events_by_session
from conflicto.sessions.events import SessionChanged

ONE, TWO = UUID(int=1), UUID(int=2)


def test_known_changes_are_not_published_again() -> None:
    """Memory may have applied its own commits while the remote changes were read."""
    early, late = SimpleNamespace(updated_ts=10, ts=10), SimpleNamespace(updated_ts=20, ts=20, participant_id=3)
    early.id, late.id = "early", "late"
    news = RemoteChanges(
        epoch="life", head_row=FeedHead(7, 20, 20, {}), session=SimpleNamespace(id=7), activities=[early, late],
        counts={(ONE, 1): 5, (TWO, 1): 6}, participants=[early, late], links=[],
        rows=[RemoteResponses(7, [early, late], [early, late])],
    )  # fmt: skip
    recent = RecentResponses()
    before = SimpleNamespace(participant_id=3)
    recent.rows.put("late", 14, before)

    published = list(news.events(SimpleNamespace(position=15, counts={(ONE, 1): 5}, parts={RecentResponses: recent})))

    assert published == [
        SessionChanged(news.session), ActivityChanged(late), CountsChanged(7, TWO, 1, 6), ParticipantChanged(late),
        RemoteResponsesChanged(7, 15, [(before, late)]), ResponsesPooled(7, [late]),
    ]  # fmt: skip


def test_what_a_commit_did_is_sorted_by_session_and_keeps_its_order() -> None:
    answers = [CountsChanged(1, ONE, 1, 5), ResponsesChanged(1, ()), ResponsesChanged(2, ())]
    others = [
        ActivityChanged(SimpleNamespace(session_id=2)), ParticipantChanged(SimpleNamespace(session_id=1)),
        SessionChanged(SimpleNamespace(id=3)),
    ]  # fmt: skip

    assert events_by_session(["of none", *answers, *others], STATE_PARTS.handlers) == {
        1: [*answers[:2], others[1]], 2: [answers[2], others[0]], 3: [others[2]],
    }  # fmt: skip
