"""Join codes on both databases: long enough for the open sessions, and found by their index."""

from collections.abc import Callable

from sqlalchemy import event, insert, text

from conflicto.platform.db.transaction import ReadTx
from conflicto.sessions import store
from conflicto.sessions.commands import change_session, create_session, delete_session, replace_join_code
from conflicto.sessions.model import NewSession, SessionStatus
from conflicto.sessions.tables import sessions
from tests.support.kit import Kit


def keep(kit: Kit, count: int, *, first: int, status: SessionStatus = SessionStatus.ACTIVE) -> None:
    """Insert several sessions at once."""
    rows = [
        {"id": first + number, "title": "T", "status": status.value, "join_code": f"{first + number}", "locked": False, "token_version": 1,
         "revision": 1, "deleted": False, "created_ts": number, "updated_ts": number}
        for number in range(count)
    ]  # fmt: skip
    for begin in range(0, count, 100):  # more rows may exceed the statement timeout on a busy machine
        with kit.db.writer_connection() as connection, connection.begin():
            connection.execute(insert(sessions), rows[begin : begin + 100])


def fresh(kit: Kit) -> tuple[int, int]:
    """Create a session and return its id and the length of its code."""
    session, _ = kit.do(None, create_session, NewSession("Town hall"))
    return session.id, len(session.join_code)


def test_codes_grow_with_the_sessions_that_are_open(kit: Kit) -> None:
    keep(kit, 3_000, first=1_000_000, status=SessionStatus.COMPLETED)
    keep(kit, 47, first=1_000)
    first, length = fresh(kit)
    assert length == 8
    second, length = fresh(kit)
    assert length == 9, "49 sessions are open now; ended ones do not count"
    assert len(kit.do(first, replace_join_code, first, actor="host").join_code) == 9
    kit.do(second, delete_session, second, actor="host", revisions=None)
    assert len(kit.do(first, replace_join_code, first, actor="host").join_code) == 8
    kit.do(first, change_session, first, {"status": SessionStatus.ACTIVE}, actor="host")
    kit.do(first, change_session, first, {"status": SessionStatus.COMPLETED}, actor="host")
    assert fresh(kit)[1] == 8
    keep(kit, 973 - 49, first=10_000)
    assert [fresh(kit)[1] for _ in range(3)] == [9, 10, 10]


def plan_of(kit: Kit, query: Callable[[ReadTx], object]) -> str:
    """Return the query plan of the one statement that a query sends."""
    sent: list[tuple[str, object]] = []
    with kit.db.writer_connection() as connection:
        event.listen(
            connection, "before_cursor_execute", lambda _a, _b, statement, values, _c, _d: sent.append((statement, values))
        )
        query(ReadTx(connection))
        ((statement, values),) = [each for each in sent if "FROM sessions" in each[0]]
        explain = "EXPLAIN QUERY PLAN " if kit.db.dialect.name == "sqlite" else "EXPLAIN "
        return "\n".join(str(tuple(row)) for row in connection.exec_driver_sql(explain + statement, values))


def test_codes_are_found_and_sessions_counted_by_index_however_many_are_kept(kit: Kit) -> None:
    keep(kit, 20_000, first=1_000_000, status=SessionStatus.COMPLETED)
    keep(kit, 200, first=1_000)
    with kit.db.writer_connection() as connection, connection.begin():
        connection.execute(text("ANALYZE"))

    found = plan_of(kit, lambda tx: store.find_by_code(tx, "BCDFGHJK"))
    counted = plan_of(kit, lambda tx: store.count_open(tx, 974))

    assert "uq_sessions_live_code" in found
    assert "uq_sessions_live_code" in counted or "ix_sessions_status_newest (deleted=? AND status=?)" in counted, counted
    with kit.db.writer_connection() as connection:
        assert store.count_open(ReadTx(connection), 974) == 200
        assert store.count_open(ReadTx(connection), 50) == 50
