from types import SimpleNamespace
from uuid import UUID

from conflicto.activities.events import ActivityChanged, CountsChanged
from conflicto.participants.events import ParticipantChanged
from conflicto.platform.db.sequence import FeedHead
from conflicto.responses.events import ResponsesChanged, ResponsesPooled
from conflicto.session_state.remote_changes import RemoteChanges, RemoteResponsesChanged, events_by_session
from conflicto.sessions.events import SessionChanged

ONE, TWO = UUID(int=1), UUID(int=2)


def test_what_is_known_already_is_not_told_again() -> None:
    """Memory may have applied its own commits while the remote changes were read."""
    early, late = SimpleNamespace(updated_ts=10, ts=10), SimpleNamespace(updated_ts=20, ts=20)
    news = RemoteChanges(
        epoch="life", head_row=FeedHead(7, 20, 20, {}), session=SimpleNamespace(id=7), activities=[early, late],
        counts={(ONE, 1): 5, (TWO, 1): 6}, participants=[early, late], responses=[early, late], links=[], pooled=[early, late],
    )  # fmt: skip

    told = list(news.events(15, {(ONE, 1): 5}))

    assert told == [
        SessionChanged(news.session), ActivityChanged(late), CountsChanged(7, TWO, 1, 6), ParticipantChanged(late),
        RemoteResponsesChanged(7, 15, [late]), ResponsesPooled(7, [late]),
    ]  # fmt: skip


def test_what_a_commit_did_is_sorted_by_session_and_keeps_its_order() -> None:
    answers = [CountsChanged(1, ONE, 1, 5), ResponsesChanged(1, ()), ResponsesChanged(2, ())]
    others = [
        ActivityChanged(SimpleNamespace(session_id=2)), ParticipantChanged(SimpleNamespace(session_id=1)),
        SessionChanged(SimpleNamespace(id=3)),
    ]  # fmt: skip

    assert events_by_session(["of none", *answers, *others]) == {
        1: [*answers[:2], others[1]], 2: [answers[2], others[0]], 3: [others[2]],
    }  # fmt: skip
