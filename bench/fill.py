"""Database with many answers, written in bulk without the API.

Counters and feed positions are those of the API.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pysqlite3.dbapi2 as driver
from sqlalchemy import create_engine, event, insert, make_url, select, text, update

from bench import servers
from conflicto.access.identity import load_identity
from conflicto.access.roles import Role
from conflicto.access.tokens import Tokens
from conflicto.activities.tables import activity_rounds
from conflicto.participants.nickname import clean_nickname
from conflicto.participants.tables import participants
from conflicto.platform.clock import Clock
from conflicto.platform.db.engine import Database
from conflicto.platform.ids import ordered_uuids, public_id
from conflicto.responses.model import Moderation
from conflicto.responses.tables import responses
from conflicto.sessions.tables import feed_heads
from conflicto.settings import SQLITE_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Connection, Engine, Table

    from bench.scenario import Scenario

PEOPLE = 20_000
ANSWERS_EACH = 50
CHUNK = 20_000
"""Rows in one statement."""

CACHE_KIB = 2 * 1024 * 1024


TABLES = 1_000
"""Distinct table names in answers."""


def default_note() -> str:
    """Return the text of the note in an answer."""
    return "as always"


def fill(url: str, data_dir: Path, scenario: Scenario, activity: str, rows: int, *, note: Callable[[], str] = default_note) -> None:
    """Insert `PEOPLE` seats and `rows` answers to one activity.

    The server must not be running.

    Each author has `ANSWERS_EACH` answers, so a larger database has more authors, and no list of
    own answers is longer. `note` returns the text of each answer, which must need no escape in
    JSON.
    """
    ids = [public_id() for _ in range(PEOPLE)]
    engine = _engine(url)
    with engine.begin() as connection:
        head = connection.execute(select(feed_heads.c.ts).where(feed_heads.c.session_id == scenario.id)).scalar_one()
        _store(connection, participants, _seats(scenario.id, ids, head))
        first = head + PEOPLE + 1
        _store(connection, responses, _answers(scenario.id, UUID(activity), ids[: rows // ANSWERS_EACH], first, note))
        _count(connection, scenario.id, UUID(activity), joined_ts=head + PEOPLE, first=first, rows=rows)
    if engine.dialect.name == "postgresql":
        _tidy(engine)
    engine.dispose()
    scenario.seats = list(zip(ids, _tokens(url, data_dir, scenario.id, ids), strict=True))


def embedded(data_dir: Path) -> str:
    """Return the address of the database in a data directory."""
    return f"sqlite:///{data_dir / SQLITE_FILE}"


def _engine(url: str) -> Engine:
    """Return an engine for one large transaction. On SQLite all pages fit into its cache."""
    if not url.startswith("sqlite"):
        return create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    made = create_engine(url, module=driver)

    @event.listens_for(made, "connect")
    def _setup(connection: Any, _: object) -> None:  # noqa: ANN401 - a driver object
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")

    return made


def _tidy(engine: Engine) -> None:
    """Run the work of autovacuum now: statistics, and the pending list of the GIN index."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (ANALYZE) responses"))


def _seats(session_id: int, ids: list[int], head: int) -> Iterator[dict[str, Any]]:
    for number, seat in enumerate(ids, start=1):
        nickname, ts = clean_nickname(f"Guest {number}"), head + number
        yield {
            "id": seat, "session_id": session_id, "nickname": nickname.text, "nickname_key": nickname.key, "token_version": 1,
            "last_seen_us": ts, "revision": 1, "deleted": False, "created_ts": ts, "updated_ts": ts,
        }  # fmt: skip


def _answers(session_id: int, activity: UUID, authors: list[int], first: int, note: Callable[[], str]) -> Iterator[dict[str, Any]]:
    """Yield the first answers of all authors, then the second ones.

    Neighbours in time are far apart in the index by participant.
    """
    ts = first
    for number in range(ANSWERS_EACH):
        for author in authors:
            response = next(ordered_uuids(ts, 1))
            yield {
                "id": response, "session_id": session_id, "activity_id": activity, "participant_id": author, "round": 1,
                "slot": response, "ts": ts, "created_ts": ts, "received_us": ts, "revision": 1, "deleted": False,
                "moderation": Moderation.VISIBLE.value, "was_visible": True,
                "response_text": f'{{"choice":"Curry","confidence":{number % 5},"table":{(ts - first) % TABLES},"note":"{note()}"}}',
            }  # fmt: skip
            ts += 1


def _store(connection: Connection, table: Table, rows: Iterator[dict[str, Any]]) -> None:
    while chunk := list(islice(rows, CHUNK)):
        connection.execute(insert(table), chunk)


def _count(connection: Connection, session_id: int, activity: UUID, *, joined_ts: int, first: int, rows: int) -> None:
    last = first + rows - 1
    counts: dict[str, int] = {}
    for group in ("live", "visible"):
        counts |= {group: rows, f"{group}_last_ts": last, f"{group}_changed_ts": last}
    connection.execute(update(activity_rounds).where(activity_rounds.c.activity_id == activity).values(counts))
    head = {"ts": last, "participants": PEOPLE, "participants_ts": joined_ts}
    connection.execute(update(feed_heads).where(feed_heads.c.session_id == session_id).values(head))


def _tokens(url: str, data_dir: Path, session_id: int, ids: list[int]) -> list[str]:
    """Create the seats' tokens with the server's key."""
    db = Database(url)
    identity = load_identity(db, data_dir=data_dir, secret_key=servers.SECRET_KEY, admin_token=servers.ADMIN_TOKEN)
    db.close()
    tokens = Tokens(identity.signing_key, identity.epoch, Clock())
    return [tokens.mint(Role.PARTICIPANT, session_id, version=1, subject=str(seat)) for seat in ids]
