"""The indexes behind the promises of speed: what the databases do to answer the queries of each reader."""

import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, text

from conflicto.platform.db.engine import Database
from conflicto.responses import store

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
            parameter = ACTIVITY.bytes if made.dialect == "sqlite" else ACTIVITY
            connection.execute(text(FILL[made.dialect].format(rows=ROWS, columns=COLUMNS)), {"activity": parameter})
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
    explain = "EXPLAIN QUERY PLAN " if db.dialect == "sqlite" else "EXPLAIN "
    ((statement, parameters),) = [each for each in seen if not each[0].startswith(("BEGIN", "SET LOCAL"))]
    return db.query(lambda tx: "\n".join(str(row) for row in tx.connection.exec_driver_sql(explain + statement, parameters)))


def test_reading_on_uses_an_index(full: Database) -> None:
    window = {"after": ROWS - 50, "upto": ROWS, "most": 101}
    flags = {"live_only": False, "visible_only": False}

    activity = plan_of(full, store.activity_feed, ACTIVITY, **window, **flags)
    session = plan_of(full, store.session_feed, 1, **window, closed=[], visible_only=False)
    own = plan_of(full, store.own_feed, 7, after=0, upto=ROWS, most=101, closed=[])

    assert "ix_responses_activity_feed" in activity
    assert "uq_responses_feed" in session
    assert "uq_responses_slot" in own
    for plan in (activity, session):
        assert "SCAN" not in plan
        assert "Seq Scan" not in plan
        assert "TEMP B-TREE" not in plan
        assert "Sort" not in plan


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.timed
def test_contains_uses_its_index(full: Database) -> None:
    wanted = {"nth": None, "participant_id": None, "limit": 101, "offset": 0}
    began = time.monotonic()

    plan = plan_of(full, store.page, ACTIVITY, contains='{"n":777}', **wanted)

    assert "ix_responses_response_data" in plan
    assert time.monotonic() - began < 1
