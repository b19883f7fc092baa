from types import SimpleNamespace
from uuid import UUID

from conflicto.activities.events import ActivityChanged, CountsChanged
from conflicto.feed.news import News, OthersAnswered
from conflicto.participants.events import ParticipantChanged
from conflicto.platform.db.stamps import Head
from conflicto.sessions.events import SessionChanged

ONE, TWO = UUID(int=1), UUID(int=2)


def test_what_is_known_already_is_not_told_again() -> None:
    """Memory may have moved on by commits of its own while the news was read."""
    early, late = SimpleNamespace(updated_ts=10, ts=10), SimpleNamespace(updated_ts=20, ts=20)
    news = News(
        row=Head(7, 20, 20, {}), session=SimpleNamespace(id=7), activities=[early, late], counts={(ONE, 1): 5, (TWO, 1): 6},
        seats=[early, late], answers=[early, late],
    )  # fmt: skip

    told = list(news.events(15, {(ONE, 1): 5}))

    assert told == [
        SessionChanged(news.session), ActivityChanged(late), CountsChanged(7, TWO, 1, 6), ParticipantChanged(late),
        OthersAnswered(7, 15, [late]),
    ]  # fmt: skip
