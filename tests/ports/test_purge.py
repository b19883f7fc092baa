"""A purge beside others' rows: each step finds its rows by an index."""

import psycopg
import pytest
from sqlalchemy import text

from conflicto.participants import store as participants
from conflicto.responses import store as responses
from conflicto.sessions.commands import delete_session
from conflicto.sessions.purge import CHUNK_ROWS, Purger
from tests.support.kit import Kit, set_stage

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

ROWS = 2 * CHUNK_ROWS + 1
OTHERS = 5 * ROWS
TABLES = ["responses", "idempotency_keys"]

ANSWERS = """
    INSERT INTO responses (id, session_id, activity_id, participant_id, round, slot, ts, created_ts, received_us, revision, deleted,
                           moderation, was_visible, response_text)
    SELECT gen_random_uuid(), %s, gen_random_uuid(), n, 1, gen_random_uuid(), n, n, n, 1, false, 'visible', true, '1'
    FROM generate_series(1, %s) AS n
"""
KEYS = """
    INSERT INTO idempotency_keys (id, session_id, fingerprint, status, entity)
    SELECT sha256(convert_to(%s::text || '-' || n, 'UTF8')), %s, 'f', 201, '' FROM generate_series(1, %s) AS n
"""


def filled(url: str, session_id: int, rows: int) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(ANSWERS, (session_id, rows))
        connection.execute(KEYS, (session_id, session_id, rows))


def scanned(connection: psycopg.Connection) -> tuple[dict[str, int], dict[str, int]]:
    """Return the sequential scans of each table, and the rows removed from it."""
    found = connection.execute(
        "SELECT relname, seq_scan, n_tup_del FROM pg_stat_user_tables WHERE relname = ANY(%s)", (TABLES,)
    ).fetchall()
    return {name: scans for name, scans, _ in found}, {name: gone for name, _, gone in found}


async def test_no_step_reads_past_the_rows_of_other_sessions(kit: Kit, database_url: str) -> None:
    url = kit.db.url.render_as_string(hide_password=False)
    other, old = set_stage(kit, people=1), set_stage(kit, people=1)
    filled(url, other.session_id, OTHERS)
    filled(url, old.session_id, ROWS)
    kit.do(old.session_id, delete_session, old.session_id, actor="test")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        before, gone_before = scanned(connection)

        assert await Purger(kit.db, kit.writer, {"responses": responses.purge, "participants": participants.purge})._purge(
            old.session_id
        )

        kit.do(None, lambda tx: tx.connection.execute(text("SELECT pg_stat_force_next_flush()")))
        scans, gone = scanned(connection)
        assert {name: gone[name] - gone_before[name] for name in TABLES} == dict.fromkeys(TABLES, ROWS)
        assert scans == before
        assert connection.execute("SELECT count(*) FROM responses").fetchone() == (OTHERS,)
