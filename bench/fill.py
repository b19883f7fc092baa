"""A database as it stands after many answers, written in bulk past the API, with every counter and feed position as the API leaves it."""

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

    from bench.stage import Stage

PEOPLE = 20_000
ANSWERS_EACH = 50
CHUNK = 20_000
"""Rows in one statement."""

CACHE_KIB = 2 * 1024 * 1024


TABLES = 1_000
"""Tables in the hall: in a database of 100,000 answers, 100 came from each."""


def usual_note() -> str:
    """Return what everyone adds to an answer."""
    return "as always"


def fill(url: str, data_dir: Path, stage: Stage, activity: str, rows: int, *, note: Callable[[], str] = usual_note) -> None:
    """Seat `PEOPLE` in the stage's session and store `rows` answers to one activity; the server must not be running.

    Each author has `ANSWERS_EACH` answers, so there are more authors in a larger database and nobody's own list is longer. `note` makes
    the text of each, which must need no escape in JSON.
    """
    ids = [public_id() for _ in range(PEOPLE)]
    engine = _engine(url)
    with engine.begin() as connection:
        head = connection.execute(select(feed_heads.c.ts).where(feed_heads.c.session_id == stage.id)).scalar_one()
        _store(connection, participants, _seats(stage.id, ids, head))
        first = head + PEOPLE + 1
        _store(connection, responses, _answers(stage.id, UUID(activity), ids[: rows // ANSWERS_EACH], first, note))
        _count(connection, stage.id, UUID(activity), joined_ts=head + PEOPLE, first=first, rows=rows)
    if engine.dialect.name == "postgresql":
        _tidy(engine)
    engine.dispose()
    stage.seats = list(zip(ids, _tokens(url, data_dir, stage.id, ids), strict=True))


def embedded(data_dir: Path) -> str:
    """Return the address of the database in a data directory."""
    return f"sqlite:///{data_dir / SQLITE_FILE}"


def _engine(url: str) -> Engine:
    """Return an engine for one large transaction; on SQLite all pages fit into its memory, and nothing is lost by losing it."""
    if not url.startswith("sqlite"):
        return create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    made = create_engine(url, module=driver)

    @event.listens_for(made, "connect")
    def _setup(connection: Any, _: object) -> None:  # noqa: ANN401 - a driver object
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")

    return made


def _tidy(engine: Engine) -> None:
    """Do now what autovacuum does in the minute after: statistics for the planner, and the GIN index's list of pending entries."""
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
    """Yield everyone's first answer, then everyone's second: neighbours in time are strangers in the index by participant."""
    ts = first
    for nth in range(ANSWERS_EACH):
        for author in authors:
            response = next(ordered_uuids(ts, 1))
            yield {
                "id": response, "session_id": session_id, "activity_id": activity, "participant_id": author, "round": 1,
                "slot": response, "ts": ts, "created_ts": ts, "received_us": ts, "revision": 1, "deleted": False,
                "moderation": Moderation.VISIBLE.value, "was_visible": True,
                "response_text": f'{{"choice":"Curry","confidence":{nth % 5},"table":{(ts - first) % TABLES},"note":"{note()}"}}',
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
    """Mint the seats' tokens as the server does; it has the same key."""
    db = Database(url)
    identity = load_identity(db, data_dir=data_dir, secret_key=servers.SECRET_KEY, admin_token=servers.ADMIN_TOKEN)
    db.close()
    tokens = Tokens(identity.signing_key, identity.epoch, Clock())
    return [tokens.mint(Role.PARTICIPANT, session_id, version=1, subject=str(seat)) for seat in ids]
