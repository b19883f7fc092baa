"""How many connections the workers of a machine may open, held against what the server gives."""

from pathlib import Path

import psycopg
import pytest

from conflicto.cli import serve as module
from conflicto.platform.db.engine import Database, PoolSize
from conflicto.platform.db.postgres import capacity
from conflicto.settings import Settings, SettingsInvalid, read_settings
from tests.support.processes import environment, run


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


def test_servers_capacity_is_what_it_says(postgres_database: str) -> None:
    db = Database(postgres_database, pool=PoolSize(2, 0))
    with psycopg.connect(postgres_database) as admin, db.writer_connection() as connection:
        (most,) = admin.execute("SHOW max_connections").fetchone()
        (reserved,) = admin.execute("SHOW superuser_reserved_connections").fetchone()
        found = capacity(connection)
    db.close()
    assert found.most == int(most) - int(reserved)
    assert 1 <= found.used < found.most


def test_more_connections_than_the_server_gives_are_refused_at_once(postgres_database: str, tmp_path: Path) -> None:
    env = environment(tmp_path, DATABASE_URL=postgres_database, DATABASE_POOL_SIZE="900", DATABASE_MAX_OVERFLOW="100")
    refused = run("serve", "--port", "0", env=env)
    assert refused.exit_code == 3
    said = " ".join(refused.stderr.split())
    assert "may open 1001 connections (DATABASE_POOL_SIZE 900, DATABASE_MAX_OVERFLOW 100, exports 1)" in said
    assert "max_connections" in said


def test_more_than_are_left_is_said_and_tolerated(postgres_database: str, capsys: pytest.CaptureFixture[str]) -> None:
    db = Database(postgres_database, pool=PoolSize(2, 0))
    with db.writer_connection() as connection:
        server = capacity(connection)
    settings = Settings(database_url=postgres_database, pool_size=server.most - 2, max_overflow=1)
    with psycopg.connect(postgres_database):
        module._require_connections(db, settings)
    db.close()
    assert "taken now" in " ".join(capsys.readouterr().err.split())
