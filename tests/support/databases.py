"""Empty, migrated databases for tests: copied from a template, because migrating takes longer than most tests.

A copy on PostgreSQL still takes a tenth of a second. Tests that leave nothing but rows behind share one, emptied after each.
"""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from conflicto import migrations
from tests.support.servers import create_database

POSTGRES_TEMPLATE = "conflicto_template"

HEADROOM = "10s"
"""How long emptying may wait for a lock: only a test that failed to close its app holds one."""


def sqlite_template(folder: Path) -> Path:
    path = folder / "template.sqlite3"
    migrations.upgrade(f"sqlite:///{path}")
    return path


def sqlite_copy(template: Path, folder: Path) -> str:
    path = folder / "conflicto.sqlite3"
    shutil.copy(template, path)
    return f"sqlite:///{path}"


def postgres_template(admin_url: str) -> str:
    url = create_database(admin_url, POSTGRES_TEMPLATE)
    migrations.upgrade(url)
    return url


@contextmanager
def postgres_copy(admin_url: str, *, empty: bool = False) -> Iterator[str]:
    """Yield a database with the newest schema, or with none."""
    name = "t_" + secrets.token_hex(6)
    url = create_database(admin_url, name, template=None if empty else POSTGRES_TEMPLATE)
    try:
        yield url
    finally:
        with psycopg.connect(admin_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def empty_postgres(url: str) -> None:
    """Take every row away, save the schema's revision; what a newly copied database has, and nothing else, is left."""
    with psycopg.connect(url, autocommit=True, options=f"-c lock_timeout={HEADROOM}") as connection:
        others = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.execute(others)
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'")
        tables = sql.SQL(", ").join(sql.Identifier(name) for (name,) in found.fetchall())
        connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY").format(tables))
