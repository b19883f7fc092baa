"""A database replaced by an older copy under running apps, which begin a new epoch together."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pytest
from psycopg import sql
from structlog.testing import capture_logs

from conflicto.app import App
from conflicto.platform.db.metadata import EPOCH, SERVER, load_metadata
from conflicto.settings import Settings
from tests.support.api import Api, Event, Seat, make_event
from tests.support.checks import accepted, refused
from tests.support.feed_reader import page
from tests.support.patience import PATIENCE_S, PATIENT
from tests.support.pgbouncer import past_pooler
from tests.support.servers import create_database


@dataclass
class Exchange:
    """A database by name, and an older copy of it, which can replace it."""

    admin_url: str
    name: str

    @property
    def copy(self) -> str:
        return f"{self.name}_copy"

    def take_a_copy(self) -> None:
        """Copy the database.

        Nobody may be connected to a template, so it refuses connections meanwhile.
        """
        self._do("ALTER DATABASE {} ALLOW_CONNECTIONS false", self.name)
        self._cut(self.name)
        create_database(self.admin_url, self.copy, template=self.name)
        self._do("ALTER DATABASE {} ALLOW_CONNECTIONS true", self.name)

    def exchange(self) -> None:
        """Replace the database by its copy."""
        self._do("ALTER DATABASE {} ALLOW_CONNECTIONS false", self.name)
        self._cut(self.name)
        self._do("DROP DATABASE {} WITH (FORCE)", self.name)
        self._do("ALTER DATABASE {} RENAME TO {}", self.copy, self.name)

    def _cut(self, name: str) -> None:
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE datname = %s", (name,))

    def _do(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@pytest.fixture
def database_url(postgres_database: str) -> str:
    """Return a database on PostgreSQL, since nobody replaces SQLite's file under a server."""
    return postgres_database


@pytest.fixture
def shared(settings: Settings) -> Settings:
    return settings


@pytest.fixture
async def exchange(shared: Settings, postgres_url: str) -> Exchange:
    return Exchange(postgres_url, shared.database_url.rpartition("/")[2])


@pytest.fixture(params=["told", "untold"])
def with_or_without_redis(request: pytest.FixtureRequest, shared: Settings, exchange: Exchange, postgres_url: str) -> Settings:
    """Settings for a server whose role may read its timeline, and for one whose role may not."""
    if request.param == "told":
        return shared
    role = f"plain_{exchange.name}"
    with psycopg.connect(shared.database_url, autocommit=True) as connection:
        connection.execute("REVOKE EXECUTE ON FUNCTION pg_walfile_name(pg_lsn), pg_control_system() FROM PUBLIC")
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'plain'").format(sql.Identifier(role)))
        connection.execute(sql.SQL("GRANT ALL ON ALL TABLES IN SCHEMA public TO {}").format(sql.Identifier(role)))
    _, _, place = past_pooler(shared.database_url, postgres_url).partition("@")
    return shared.model_copy(update={"database_url": f"postgresql://{role}:plain@{place}"})


async def epoch_of(event: Event, api: Api) -> str | None:
    answer = await api.get(f"{event.path}/changes/since/0", token=event.host)
    return answer.json().get("epoch")


async def until_it_is_another(event: Event, api: Api, epoch: str | None) -> str:
    async with asyncio.timeout(PATIENCE_S):
        while (found := await epoch_of(event, api)) in {None, epoch}:  # noqa: ASYNC110 - it happens in the app, in its own time
            await asyncio.sleep(0.05)
    return str(found)


async def answered(event: Event, activity: dict[str, Any], seat: Seat, word: str) -> None:
    """Send a response until it is accepted: the database may have been away."""
    async with asyncio.timeout(PATIENCE_S):
        while (await event.answer(activity, seat, word)).status_code != 201:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)


async def two_apps(settings: Settings, stack: AsyncExitStack) -> list[Api]:
    return [Api(await stack.enter_async_context(App(settings).running())) for _ in range(2)]


async def test_all_join_the_epoch_that_one_of_them_began(with_or_without_redis: Settings, exchange: Exchange) -> None:
    async with AsyncExitStack() as stack:
        here, there = await two_apps(with_or_without_redis, stack)
        event = await make_event(here)
        wall = await event.activity(status="active", response_policy="many")
        anna = await event.join("Anna")
        accepted(await event.answer(wall, anna, "kept"), 201)
        before = await epoch_of(event, there)
        exchange.take_a_copy()
        await answered(event, wall, anna, "lost")
        lost = (await page(here, f"{event.path}/changes", "now", event.host))["cursor"]

        exchange.exchange()

        epochs = {await until_it_is_another(event, api, before) for api in (here, there)}
        assert len(epochs) == 1
        for api in (here, there):
            refused(await api.get(f"{event.path}/changes/since/{lost}", token=event.host), 410, "cursor-expired")
            items = await page(api, f"{event.path}/activities/{wall['id']}/responses", "0", event.host)
            assert [item["response_data"] for item in items["items"]] == ["kept"]
        accepted(await event.answer(wall, anna, "new"), 201)
        fresh = await page(here, f"{event.path}/changes", "now", event.host)
        assert (int(fresh["cursor"]) > int(lost), fresh["epoch"]) == (True, epochs.pop())


async def test_who_writes_first_finds_out_before_anything_is_written(shared: Settings, exchange: Exchange) -> None:
    async with App(shared).running() as app:
        event = await make_event(Api(app))
        wall = await event.activity(status="active", response_policy="many")
        anna = await event.join("Anna")
        exchange.take_a_copy()
        await answered(event, wall, anna, "lost")
        lost = app.domain.sessions.positions.position(event.id)
        exchange.exchange()

        with capture_logs() as logs:
            await answered(event, wall, anna, "new")
        assert [each["event"] for each in logs].count("new-life") == 1
        listed = await page(event.api, f"{event.path}/activities/{wall['id']}/responses", "0", event.host)
        assert [item["response_data"] for item in listed["items"]] == ["new"]
        assert int(listed["cursor"]) > lost


async def test_a_start_on_another_server_begins_a_new_life(shared: Settings, exchange: Exchange) -> None:
    async with App(shared).running() as app:
        event, first = await make_event(Api(app)), app.platform.identity.epoch
    async with App(shared).running() as app:
        assert app.platform.identity.epoch == first
    exchange.take_a_copy()
    exchange.exchange()

    async with App(shared).running() as app:
        assert app.platform.identity.epoch not in {"", first}
        assert app.platform.identity.issuer == first
        assert await epoch_of(event, Api(app)) == app.platform.identity.epoch
        assert load_metadata(app.platform.db, SERVER)
        assert load_metadata(app.platform.db, EPOCH) == app.platform.identity.epoch


async def test_a_new_life_that_cannot_begin_yet_is_tried_again(shared: Settings, exchange: Exchange) -> None:
    async with App(shared, timeouts=replace(PATIENT, lock_s=0.5)).running() as app:
        event = await make_event(Api(app))
        other = await make_event(event.api)
        wall = await event.activity(status="active", response_policy="many")
        anna = await event.join("Anna")
        before = app.platform.identity.epoch
        with psycopg.connect(shared.database_url) as holder:
            holder.execute("UPDATE meta SET value = 'another' WHERE key = 'server'")
            holder.execute("UPDATE meta SET value = 'another' WHERE key = 'epoch'")
            holder.commit()
            holder.execute("SELECT * FROM feed_heads WHERE session_id = %s FOR UPDATE", (other.id,))

            refused(await event.answer(wall, anna, "too early"), 503, "unavailable")
        accepted(await event.answer(wall, anna, "new"), 201)
        assert await epoch_of(event, event.api) not in {None, before, "another"}


async def test_new_readers_refuse_a_server_on_another_line(shared: Settings) -> None:
    async with App(shared).running() as app:
        event = await make_event(Api(app))
        app.platform.db._readers.dispose()
        app.platform.db.timeline = "0000000F"
        refused(await event.api.get("/sessions", token=event.api.admin), 503, "unavailable")
