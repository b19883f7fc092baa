import gc
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck
from hypothesis import settings as property_settings
from sqlalchemy import Dialect, Engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

from conflicto.app import App
from conflicto.platform.db.dialects import postgresql_connections, sqlite_connections
from conflicto.platform.http.openapi.document import ApiDocument
from conflicto.settings import Settings
from conflicto.web import assets
from conflicto.web.page_bundle import OutdatedBundle, read_bundle
from tests.support import databases, servers
from tests.support.api import METRICS_TOKEN, Api
from tests.support.clocks import HandClock
from tests.support.patience import PATIENCE_S, lift_deadlines
from tests.support.pgbouncer import POOLER, Pooler, pgbouncer
from tests.support.wire import listening
from tools.build_backend import build_pages, install_packages

MAX_COMPILED = 5_000
"""Maximum number of compiled statements in the shared cache."""

PERIODIC = (
    "activities.expiry.POLL_INTERVAL_S",
    "responses.release_timer.SCAN_INTERVAL_S",
    "session_state.worker_sync.SWEEP_INTERVAL_S",
    "session_state.presence_saver.SAVE_INTERVAL_S",
    "sessions.purge.PURGE_INTERVAL_S",
)
"""Intervals of an app's periodic work, seconds."""


property_settings.register_profile("patient", property_settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
property_settings.load_profile("patient")


def pytest_collection_finish() -> None:
    """Exclude imported modules and collected tests from garbage collection.

    They stay to the end, and each collection would cost a twentieth of the time.
    """
    gc.collect()
    gc.freeze()


def pytest_configure(config: pytest.Config) -> None:
    """Bundle the pages if their sources changed, once before all workers."""
    if hasattr(config, "workerinput"):
        return
    try:
        read_bundle()
    except OutdatedBundle:
        install_packages()
        build_pages()


@pytest.fixture(scope="session", autouse=True)
def files_of_pages() -> Iterator[None]:
    """Compress the pages' files once per process.

    Every app has the same files.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assets, "make_asset", cache(assets.make_asset))
        yield


@pytest.fixture(scope="session", autouse=True)
def documents() -> Iterator[None]:
    """Generate the OpenAPI document once per process for the same routes.

    It takes longer than most tests.
    """
    made: dict[tuple[object, ...], dict[str, Any]] = {}
    content = ApiDocument.content.func

    def generated(document: ApiDocument) -> dict[str, Any]:
        key = (*(route.name for route in document.routes), *document._about.items())
        if key not in made:
            made[key] = content(document)
        return made[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ApiDocument, "content", property(generated))
        yield


@pytest.fixture(scope="session", autouse=True)
def compiled_statements() -> Iterator[None]:
    """Compile each statement once per process.

    The engines of all apps share a cache, since they compile alike.
    """
    caches: dict[type[Dialect], LRUCache[Any, Any]] = {}

    def sharing(create: Callable[..., Engine]) -> Callable[..., Engine]:
        def created(*address: object, **how: object) -> Engine:
            engine = create(*address, **how)
            engine._compiled_cache = caches.setdefault(type(engine.dialect), LRUCache(MAX_COMPILED))
            return engine

        return created

    with pytest.MonkeyPatch.context() as patch:
        for module, dialect in ((sqlite_connections, SQLiteDialect_pysqlite), (postgresql_connections, PGDialect_psycopg)):
            patch.setattr(module, "create_engine", sharing(module.create_engine))
            patch.setattr(dialect, "__hash__", lambda self: hash(type(self)))
            patch.setattr(dialect, "__eq__", lambda self, other: type(self) is type(other))
        yield


@pytest.fixture(scope="session", autouse=True)
def no_second_look_for_sniffio() -> None:
    """Prevent repeated searches for sniffio.

    httpx2 imports it at each request to an app. Without it, Python searches every folder each time.
    """
    if find_spec("sniffio") is None:
        sys.modules["sniffio"] = None  # type: ignore[assignment]


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Yield the superuser's URL of this worker's PostgreSQL.

    A test that writes creates its own database with `create_database`.
    """
    with servers.postgres(**servers.LONELY) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> str:
    return databases.postgres_template(postgres_url)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return databases.sqlite_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def shared_postgres(postgres_template: str, postgres_url: str) -> Iterator[databases.SharedPostgres]:
    shared = databases.SharedPostgres(postgres_url)
    yield shared
    shared.close()


@pytest.fixture
def postgres_database(request: pytest.FixtureRequest, postgres_template: str, postgres_url: str) -> Iterator[str]:
    """Yield the URL of an empty PostgreSQL database with the newest schema.

    A pooler keeps connections open, so each test behind one gets a new database.
    """
    if POOLER:
        with databases.postgres_copy(postgres_url) as url:
            yield request.getfixturevalue("pooler").through(url)
        return
    shared = request.getfixturevalue("shared_postgres")
    yield shared.url
    shared.renew()


@pytest.fixture(scope="session")
def pooler(postgres_url: str) -> Iterator[Pooler]:
    """Yield PgBouncer before this worker's PostgreSQL.

    `CONFLICTO_TEST_POOLER` sends the tests of the ports through it.
    """
    with pgbouncer(postgres_url, POOLER) as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty database with the newest schema; runs once per database."""
    if request.param == "sqlite":
        return databases.sqlite_copy(request.getfixturevalue("sqlite_template"), tmp_path)
    return request.getfixturevalue("postgres_database")


@pytest.fixture(autouse=True)
def calm(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable throttling of polls, and deadlines except in `timed` tests."""
    monkeypatch.setattr("conflicto.platform.http.server.load_average.ACCEPTABLE_LAG_S", 1e9)
    if request.node.get_closest_marker("timed") is None:
        lift_deadlines(monkeypatch)
    else:
        monkeypatch.setattr("conflicto.results.loading_tally.MAX_WAIT_S", PATIENCE_S)


@pytest.fixture
def undisturbed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Postpone the app's periodic work, which would be counted with the requests."""
    for name in PERIODIC:
        monkeypatch.setattr(f"conflicto.{name}", 3600.0)


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    """Reset the logs that a command in this process set up for a closed terminal."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def walks(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--walks"))


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(
        database_url=database_url,
        data_dir=tmp_path,
        admin_token="the-operator-of-the-tests",
        metrics_token=METRICS_TOKEN,
        rate_limits=False,
        pool_size=4,
        max_overflow=2,
    )


@pytest.fixture
async def app(settings: Settings, clock: HandClock) -> AsyncIterator[App]:
    async with App(settings, clock=clock).running() as running:
        yield running


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--fast-path", choices=("on", "off"), help="send the tests' requests over a socket, with the fast path on or off"
    )
    parser.addoption("--cases", type=int, default=1_500, help="total number of damaged requests of the fuzzers")
    parser.addoption("--first", type=int, default=0, help="number of the first damaged request")
    parser.addoption("--long", action="store_true", help="schemathesis with all of its phases, in every role on both databases")
    parser.addoption("--seed", default="1", help="seed of the fuzzers; equal seeds give equal requests")
    parser.addoption("--kills", type=int, default=4, help="number of kills of a server under load, per database")
    parser.addoption("--walks", type=int, default=9, help="number of random walks of the session's model")
    parser.addoption(
        "--rounds", type=int, default=3, help="rounds of training for the linkage attack, per database and kind of phone"
    )
    parser.addoption("--histories", type=int, default=1, help="number of histories with kills, per database")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--fast-path"):
        for item in [each for each in items if each.get_closest_marker("in_process")]:
            items.remove(item)


@pytest.fixture
async def api(app: App, request: pytest.FixtureRequest) -> AsyncIterator[Api]:
    """The API in this process, or over a socket with `--fast-path`."""
    async with AsyncExitStack() as stack:
        fast_path, client = request.config.getoption("--fast-path"), Api(app)
        if fast_path is not None:
            if fast_path == "off":
                app.edge.connections.fast_path = app.edge.connections.direct = None
            client.over(await stack.enter_async_context(listening(app)))
        yield client
        await client.http.aclose()


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """The URL of this worker's Valkey; a test that writes uses keys or channels of its own."""
    with servers.valkey() as url:
        yield url
