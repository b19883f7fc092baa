"""Retention: completed sessions and idle drafts are deleted after a number of days."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import update
from structlog.testing import capture_logs

from conflicto.app import App
from conflicto.platform.instants import US_PER_DAY
from conflicto.sessions import retention
from conflicto.sessions.purge import CHUNK_ROWS
from conflicto.sessions.tables import feed_heads
from conflicto.settings import Settings
from tests.support.api import Api, Event, make_event
from tests.support.checks import accepted, eventually, refused
from tests.support.clocks import HandClock
from tests.support.contents import contents
from tests.support.processes import environment, run

pytestmark = pytest.mark.in_process

DAYS, DAY_S = 30, 86_400


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"retention_days": DAYS})


async def _session(api: Api, status: str = "completed") -> Event:
    event = await make_event(api)
    wall = await event.activity(status="active", response_policy="many")
    anna = await event.join("Anna")
    for number in range(3):
        accepted(await event.answer(wall, anna, number, headers={"idempotency-key": f"answer-{number}"}), 201)
    accepted(await api.delete(f"/activities/{(await event.activity())['id']}", event.host), 204)
    if status == "completed":
        accepted(await api.patch(event.path, {"status": status}, token=event.host))
    return event


async def _gone(app: App, session_id: int) -> bool:
    """Return whether no table has a row of the session."""
    found = await asyncio.to_thread(contents, app.platform.settings.database_url)
    return not any(session_id in row for rows in found.values() for row in rows)


async def test_a_completed_session_goes_after_its_days_and_leaves_a_receipt(api: Api, app: App, clock: HandClock) -> None:
    old = await _session(api)
    active = await _session(api, status="active")
    assert await app.domain.retention.delete_expired() == 0
    clock.advance((DAYS - 1) * DAY_S)
    assert await app.domain.retention.delete_expired() == 0
    accepted(await api.get(old.path, api.admin))

    clock.advance(DAY_S + 60)
    with capture_logs() as logs:
        assert await app.domain.retention.delete_expired() == 1
        refused(await api.get(old.path, api.admin), 404, "not-found")
        await eventually(lambda: _gone(app, old.id))
        await eventually(lambda: asyncio.sleep(0, [each for each in logs if each["event"] == "session-purged"]))
        receipts = [each for each in logs if each["event"] == "session-outlived"]
        (purged,) = [each for each in logs if each["event"] == "session-purged"]

    assert [(each["session_id"], each["participants"], each["activities"], each["days"]) for each in receipts] == [
        (old.id, 1, 1, DAYS)
    ]
    assert [purged[name] for name in ("session_id", "responses", "participants", "activities")] == [old.id, 3, 1, 2]
    accepted(await api.get(active.path, api.admin))
    assert await app.domain.retention.delete_expired() == 0
    done = run("db", "check", env=environment(app.platform.settings.data_dir, DATABASE_URL=app.platform.settings.database_url))
    assert done.exit_code == 0, done.stdout


async def test_a_draft_goes_when_nothing_in_it_changed_for_its_days(settings: Settings, clock: HandClock) -> None:
    async with App(settings.model_copy(update={"draft_retention_days": 20}), clock=clock).running() as app:
        api = Api(app)
        old, edited, active = [await make_event(api, active=is_active) for is_active in (False, False, True)]
        for each in (old, edited):
            await each.activity()
        with (
            app.platform.db.writer_connection() as connection,
            connection.begin(),
        ):  # times of the database do not follow the test's clock
            of_edited = update(feed_heads).where(feed_heads.c.session_id == edited.id)
            connection.execute(of_edited.values(ts=feed_heads.c.ts + 12 * US_PER_DAY))
        assert await app.domain.retention.delete_expired() == 0

        clock.advance(20 * DAY_S + 60)
        with capture_logs() as logs:
            assert await app.domain.retention.delete_expired() == 1
            refused(await api.get(old.path, api.admin), 404, "not-found")
            await eventually(lambda: _gone(app, old.id))
        (receipt,) = [each for each in logs if each["event"] == "session-outlived"]
        assert (receipt["session_id"], receipt["status"], receipt["days"], receipt["activities"]) == (old.id, "draft", 20, 1)
        for left in (edited, active):
            accepted(await api.get(left.path, api.admin))

        clock.advance(20 * DAY_S)
        assert await app.domain.retention.delete_expired() == 1
        accepted(await api.get(active.path, api.admin))


async def test_drafts_stay_without_days_of_their_own(api: Api, app: App, clock: HandClock) -> None:
    draft = await make_event(api, active=False)
    clock.advance(36_000 * DAY_S)

    assert await app.domain.retention.delete_expired() == 0
    accepted(await api.get(draft.path, api.admin))


async def test_it_sweeps_by_itself_from_the_start(settings: Settings, clock: HandClock) -> None:
    async with App(settings, clock=clock).running() as app:
        old = await _session(Api(app))
    clock.advance((DAYS + 1) * DAY_S)

    async with App(settings, clock=clock).running() as app:
        await eventually(lambda: _gone(app, old.id))


async def test_zero_days_keep_everything(settings: Settings, clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "CHECK_INTERVAL_S", 0.01)
    async with App(settings.model_copy(update={"retention_days": 0}), clock=clock).running() as app:
        old = await _session(Api(app))
        clock.advance(36_000 * DAY_S)
        await asyncio.sleep(0.2)
        assert not await _gone(app, old.id)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_failed_sweep_is_repeated(settings: Settings, clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "CHECK_INTERVAL_S", 0.05)
    async with App(settings, clock=clock).running() as app:
        old = await _session(Api(app))
        with app.platform.db.writer_connection() as connection, connection.begin():
            connection.exec_driver_sql("ALTER TABLE sessions RENAME TO away")
        clock.advance((DAYS + 1) * DAY_S)
        await asyncio.sleep(0.3)
        with app.platform.db.writer_connection() as connection, connection.begin():
            connection.exec_driver_sql("ALTER TABLE away RENAME TO sessions")
        await eventually(lambda: _gone(app, old.id))


@pytest.fixture
async def workers(settings: Settings, clock: HandClock) -> AsyncIterator[list[App]]:
    """Three apps on one database, like three processes."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(App(settings, clock=clock).running()) for _ in range(3)]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_of_several_workers_one_deletes_each_session(workers: list[App], clock: HandClock) -> None:
    old = [await _session(Api(workers[0])) for _ in range(4)]
    clock.advance((DAYS + 1) * DAY_S)

    with capture_logs() as logs:
        deleted = await asyncio.gather(*(app.domain.retention.delete_expired() for app in workers))
        for each in old:
            await eventually(lambda each=each: _gone(workers[0], each.id))

    assert sum(deleted) == len(old)
    receipts = sorted(each["session_id"] for each in logs if each["event"] == "session-outlived")
    assert receipts == sorted(each.id for each in old)


@pytest.mark.catalogue("S-06")
async def test_others_write_between_the_chunks(api: Api, app: App, clock: HandClock) -> None:
    old = await _session(api)
    with app.platform.db.writer_connection() as connection, connection.begin():
        for number in range(4):
            connection.exec_driver_sql(_more(app.platform.db.dialect.name, old.id, number * 1_000))
    clock.advance((DAYS + 1) * DAY_S)
    other = await make_event(api)
    wall, anna = await other.activity(status="active", response_policy="many"), await other.join("Anna")
    order: list[Any] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if statement.startswith("DELETE FROM responses"):
            order.append(cursor.rowcount)
        elif statement.startswith("INSERT INTO responses"):
            order.append("answer")

    sqlalchemy_event.listen(app.platform.db._writer, "after_cursor_execute", note)
    await app.domain.retention.delete_expired()
    while sum(each for each in order if each != "answer") < 4_000:
        accepted(await other.answer(wall, anna, "meanwhile"), 201)

    removed = [each for each in order if each != "answer"]
    assert max(removed) <= CHUNK_ROWS
    first, last = order.index(CHUNK_ROWS), len(order) - order[::-1].index(CHUNK_ROWS)
    assert "answer" in order[first:last]


def _more(dialect: str, session_id: int, start: int) -> str:
    """Return SQL that adds a thousand responses to a session."""
    uuid = "randomblob(16)" if dialect == "sqlite" else "gen_random_uuid()"
    numbers = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
        if dialect == "sqlite"
        else "WITH n(i) AS (SELECT generate_series(1, 1000))"
    )
    columns = (
        "id, session_id, activity_id, participant_id, round, slot, ts, created_ts, received_us, revision, deleted, moderation, "
        "was_visible, response_text"
    )
    return (
        f"{numbers} INSERT INTO responses ({columns}) SELECT {uuid}, {session_id}, {uuid}, 1, 1, {uuid}, {start} + i, 1, 1, 1, "  # noqa: S608
        "false, 'visible', true, '1' FROM n"
    )
