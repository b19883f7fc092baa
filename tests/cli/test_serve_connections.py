"""Connections of a machine's workers, compared with the server's limit."""

import os

import psycopg
import pytest
import typer

from conflicto.cli import serve as module
from conflicto.platform.db.dialects.dialect import ConnectionLimit
from conflicto.platform.db.dialects.postgresql_server import PostgreSQLServer
from conflicto.platform.db.engine import Database, PoolSize
from conflicto.settings import Settings, SettingsInvalid, read_settings


@pytest.mark.parametrize("workers", [1, 2, 3, 7, 10])
def test_shares_of_a_machine_stay_within_its_total(workers: int) -> None:
    share = PoolSize.share(20, 30, workers=workers)
    assert workers * share.size <= 20
    assert workers * share.overflow <= 30
    assert share.readers >= 1


def test_every_worker_needs_two_connections() -> None:
    with pytest.raises(SettingsInvalid, match="Set it to 22 or more"):
        read_settings({"DATABASE_URL": "postgresql://x/y", "CONFLICTO_WORKERS": "11"})
    read_settings({"DATABASE_URL": "postgresql://x/y", "CONFLICTO_WORKERS": "10"})
    read_settings({"CONFLICTO_WORKERS": "11"})


def test_servers_capacity_is_as_reported(postgres_database: str) -> None:
    db = Database(postgres_database, pool=PoolSize(2, 0))
    with psycopg.connect(postgres_database) as admin, db.writer_connection() as connection:
        (most,) = admin.execute("SHOW max_connections").fetchone()
        (reserved,) = admin.execute("SHOW superuser_reserved_connections").fetchone()
        found = PostgreSQLServer().connection_limit(connection)
    db.close()
    assert found.max_connections == int(most) - int(reserved)
    assert 1 <= found.used < found.max_connections


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo the variables that a start sets for its workers."""
    for name in ("DATABASE_POOL_SIZE", "DATABASE_MAX_OVERFLOW"):
        monkeypatch.setenv(name, "0")


@pytest.mark.usefixtures("sizes")
@pytest.mark.parametrize("workers", [1, 3])
def test_a_pool_above_the_limit_of_the_server_is_lowered_and_reported(
    postgres_database: str, capsys: pytest.CaptureFixture[str], workers: int
) -> None:
    db = Database(postgres_database, pool=PoolSize(2, 0))
    with db.writer_connection() as connection:
        server = PostgreSQLServer().connection_limit(connection)
    settings = Settings(database_url=postgres_database, pool_size=900, max_overflow=100, workers=workers)
    with psycopg.connect(postgres_database):
        module._limit_pool(db, settings)
    db.close()

    size, overflow = int(os.environ["DATABASE_POOL_SIZE"]), int(os.environ["DATABASE_MAX_OVERFLOW"])
    share = PoolSize.share(size, overflow, workers=workers)
    assert share.size >= 2
    assert workers * (share.max_connections + 1) <= server.max_connections
    output = " ".join(capsys.readouterr().err.split())
    assert "max_connections allows" in output
    assert f"lowered to DATABASE_POOL_SIZE {size}, DATABASE_MAX_OVERFLOW {overflow}" in output


@pytest.mark.usefixtures("sizes")
@pytest.mark.parametrize(("limit", "workers", "pool_sizes"), [(9, 1, ("8", "0")), (9, 3, ("6", "0")), (8, 3, None), (2, 1, None)])
def test_limits_of_a_role_bound_the_pool_down_to_what_workers_need(
    monkeypatch: pytest.MonkeyPatch, postgres_database: str, limit: int, workers: int, pool_sizes: tuple[str, str] | None
) -> None:
    db = Database(postgres_database, pool=PoolSize(2, 0))
    monkeypatch.setattr(PostgreSQLServer, "connection_limit", lambda *_: ConnectionLimit(limit, 0, "the role's CONNECTION LIMIT"))
    settings = Settings(database_url=postgres_database, workers=workers)
    if pool_sizes is None:
        with pytest.raises(typer.Exit):
            module._limit_pool(db, settings)
    else:
        module._limit_pool(db, settings)
        assert (os.environ["DATABASE_POOL_SIZE"], os.environ["DATABASE_MAX_OVERFLOW"]) == pool_sizes
    db.close()
