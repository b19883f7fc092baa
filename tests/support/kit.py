"""The core without HTTP: a database, a group runner, and a session that accepts responses."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from conflicto.activities.commands.edit import NewActivity, create_activity
from conflicto.activities.commands.run import expire_with_session
from conflicto.activities.model import ActivityStatus, Content, ResponsePolicy
from conflicto.joining.commands import JoinRequest, join_many
from conflicto.participants.nickname import clean_nickname
from conflicto.platform.clock import Clock
from conflicto.platform.db.engine import Database, PoolSize
from conflicto.platform.db.fair_queue import Command
from conflicto.platform.db.group import GroupRunner
from conflicto.platform.db.sequence import FeedHeadStore
from conflicto.platform.db.slow_queries import SlowQueries
from conflicto.platform.db.timeouts import Timeouts
from conflicto.responses.commands.submit import Submission, submit_many
from conflicto.responses.model import ResponseContent
from conflicto.sessions.commands import change_session, create_session
from conflicto.sessions.events import SessionEnded
from conflicto.sessions.feed_heads.store import FeedHeads
from conflicto.sessions.model import NewSession, SessionStatus

SMALL = PoolSize(2, 2)


def command(topic: int | None, batch: Callable[..., Sequence[Any]], item: object, keys: tuple[Any, ...] = ()) -> Command:
    """Return a command as the writer queues it, with a future that nobody awaits."""
    return Command((topic,) if topic else (), batch, item, keys, float("inf"), None)


class Kit:
    """The database access of a process: its own connections and runner."""

    def __init__(
        self,
        url: str,
        *,
        runner: type[GroupRunner] = GroupRunner,
        heads: FeedHeadStore | None = None,
        timeouts: Timeouts | None = None,
        subscribers: Mapping[type, Sequence[Callable[..., None]]] | None = None,
        slow_queries: SlowQueries | None = None,
    ) -> None:
        self.db = Database(url, pool=SMALL, timeouts=timeouts, slow_queries=slow_queries)
        self.clock = Clock()
        self.runner = runner(self.db, heads or FeedHeads(), self.clock, subscribers or {SessionEnded: [expire_with_session]})

    @property
    def writer(self) -> "Writing":
        """Return a writer that runs one command at a time."""
        return Writing(self)

    def close(self) -> None:
        self.db.close()

    def run(self, *commands: Command) -> list[Any]:
        """Run one group and return its outcomes in order, errors included."""
        outcomes: list[Any] = []
        for outcome, _, _ in self.runner.run(list(commands)):
            outcomes += outcome
        return outcomes

    def do(self, topic: int | None, what: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run one command alone, and raise its exception."""
        outcome = self.run(command(topic, lambda tx, items: [tx.attempt(items[0])], lambda tx: what(tx, *args, **kwargs)))[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


@dataclass(frozen=True)
class Writing:
    """The method of the writer that packages use, run at once in the caller's thread."""

    kit: Kit

    async def run(self, topic: Any, what: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return self.kit.do(topic or None, what, *args, **kwargs)


@dataclass(frozen=True)
class Stage:
    """An active session with an open activity and participants."""

    session_id: int
    activity_id: UUID
    people: list[int]

    def answer(self, who: int, text: str, key: Any = None) -> Command:
        person = self.people[who]
        item = Submission(self.session_id, self.activity_id, person, ResponseContent(text), 1, key)
        return command(self.session_id, submit_many, item, ((self.activity_id, person),))


def set_stage(kit: Kit, *, people: int, policy: ResponsePolicy = ResponsePolicy.MANY, **fields: Any) -> Stage:
    session, _ = kit.do(None, create_session, NewSession("Town hall"))
    kit.do(session.id, change_session, session.id, {"status": SessionStatus.ACTIVE}, actor="test")
    new = NewActivity(type="lunch", content=Content(config="{}", secret=None, aggregate=None), response_policy=policy, **fields)
    activity, _, _ = kit.do(session.id, create_activity, session.id, new, status=ActivityStatus.ACTIVE, actor="test")
    wanted = [JoinRequest(session.id, session.join_code, clean_nickname(f"P{number}")) for number in range(people)]
    seats = kit.run(*(command(session.id, join_many, request) for request in wanted))
    return Stage(session.id, activity.id, [seat.participant.id for seat in seats])
