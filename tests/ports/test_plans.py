"""Query plans: the indexes behind the performance of each reader's queries."""

import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, text

from conflicto.activities.queries import stored_versions
from conflicto.participants.store import joined
from conflicto.platform.db.engine import Database
from conflicto.platform.db.transaction import ReadTx
from conflicto.responses import store
from tests.support.kit import Kit, set_stage
from tests.support.queries import POOLED

ACTIVITY = UUID(int=7)
ROWS = 20_000
GROUPS = 40

COLUMNS = """id, session_id, activity_id, participant_id, round, slot, ts, created_ts, received_us, revision, deleted, moderation,
    was_visible, response_text"""

FILL = {
    "sqlite": """
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
        INSERT INTO responses ({columns})
            SELECT randomblob(16), 1, :activity, i % 500 + 1, 1, randomblob(16), i, i, i, 1, false, 'visible', true,
            '{{"n":' || i || '}}' FROM n""",
    "postgresql": """
        INSERT INTO responses ({columns})
            SELECT gen_random_uuid(), 1, :activity, i % 500 + 1, 1, gen_random_uuid(), i, i, i, 1, false, 'visible', true,
            '{{"n":' || i || '}}' FROM generate_series(1, {rows}) AS i""",
}


@pytest.fixture
def full(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    with made.writer_connection() as connection:
        with connection.begin():
            parameter = ACTIVITY.bytes if made.dialect.name == "sqlite" else ACTIVITY
            connection.execute(text(FILL[made.dialect.name].format(rows=ROWS, columns=COLUMNS)), {"activity": parameter})
        with connection.begin():
            connection.execute(text("ANALYZE"))
    yield made
    made.close()


def plan_of(db: Database, query: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    """Return the plan of the one statement that `query` runs."""
    seen: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
        seen.append((statement, parameters))

    event.listen(db._readers, "before_cursor_execute", note)
    try:
        assert db.query(query, *args, **kwargs)
    finally:
        event.remove(db._readers, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN " if db.dialect.name == "sqlite" else "EXPLAIN "
    ((statement, parameters),) = [each for each in seen if not each[0].startswith(("BEGIN", "SET LOCAL", POOLED))]
    return db.query(lambda tx: "\n".join(str(row) for row in tx.connection.exec_driver_sql(explain + statement, parameters)))


def test_reading_on_uses_an_index(full: Database) -> None:
    window = {"after": ROWS - 50, "through": ROWS, "limit": 101}
    flags = {"live_only": False, "visible_only": False}

    activity = plan_of(full, store.activity_feed, ACTIVITY, **window, **flags)
    session = plan_of(full, store.session_feed, 1, **window, excluded_activities=[], visible_only=False)
    own = plan_of(full, store.own_feed, 7, after=0, through=ROWS, limit=101, excluded_activities=[], max_characters=1_000_000)

    assert "ix_responses_activity_feed" in activity
    assert "uq_responses_feed" in session
    assert "uq_responses_slot" in own
    for plan in (activity, session):
        assert "SCAN" not in plan
        assert "Seq Scan" not in plan
        assert "TEMP B-TREE" not in plan
        assert "Sort" not in plan


SEATS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) INSERT INTO participants {columns} FROM n",
    "postgresql": "INSERT INTO participants {columns} FROM generate_series(1, {rows}) AS i",
}
SEAT_COLUMNS = """(id, session_id, nickname, nickname_key, token_version, last_seen_us, revision, deleted, created_ts, updated_ts)
    SELECT i, 1, 'N', 'n' || i, 1, 0, 1, i % 3 = 0, i, i"""


@pytest.mark.parametrize("after", [0, ROWS // 2, ROWS - 200])
def test_a_page_by_cursor_reads_its_own_rows_alone(full: Database, after: int) -> None:
    with full.writer_connection() as connection, connection.begin():
        connection.execute(text(SEATS[full.dialect.name].format(rows=ROWS, columns=SEAT_COLUMNS)))
    with full.writer_connection() as connection, connection.begin():
        connection.execute(text("ANALYZE"))
    wanted = {"participant_id": None, "contains": None, "limit": 101, "offset": 0, "after": after, "max_characters": 1_000_000}

    plans = {
        "ix_responses_activity_feed": plan_of(full, store.page, ACTIVITY, round_number=None, **wanted),
        "ix_responses_newest_live": plan_of(full, store.page, ACTIVITY, round_number=1, **wanted),
        "ix_participants_joined": plan_of(full, joined, 1, limit=101, after=after),
    }

    for index, plan in plans.items():
        assert index in plan or (index == "ix_responses_newest_live" and "ix_responses_activity_feed" in plan), plan
        assert not [word for word in ("SCAN", "Seq Scan", "TEMP B-TREE", "Sort") if word in plan], plan
        assert full.dialect.name == "postgresql" or ">?" in plan, plan


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_far_page_takes_as_many_steps_as_the_first(full: Database) -> None:
    def steps(after: int) -> int:
        made = 0

        def count() -> int:
            nonlocal made
            made += 1
            return 0

        def read(tx: ReadTx) -> int:
            driver: Any = tx.connection.connection.dbapi_connection
            driver.set_progress_handler(count, 1)
            try:
                found = store.page(
                    tx,
                    ACTIVITY,
                    round_number=None,
                    participant_id=None,
                    contains=None,
                    limit=101,
                    offset=0,
                    after=after,
                    max_characters=1_000_000,
                )
            finally:
                driver.set_progress_handler(None, 0)
            return len(found)

        assert full.query(read) == 101
        return made

    assert steps(ROWS - 101) <= steps(0) * 1.05


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.timed
def test_contains_uses_its_index(full: Database) -> None:
    wanted = {"round_number": None, "participant_id": None, "limit": 101, "offset": 0, "after": 0, "max_characters": 1_000_000}
    began = time.monotonic()

    plan = plan_of(full, store.page, ACTIVITY, contains='{"n":777}', **wanted)

    assert "ix_responses_response_data" in plan
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_start_reads_the_versions_of_types_from_an_index_alone(kit: Kit) -> None:
    set_stage(kit, people=0, type_version="1")

    assert "USING COVERING INDEX ix_activities_version" in plan_of(kit.db, stored_versions, without=["poll"])
