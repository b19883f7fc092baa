"""Empty, migrated databases for tests: copies of a template, since migrations are slower.

A copy on PostgreSQL still takes a quarter of a second of processor time. The tests of a process
share one, which is emptied after each.
"""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql

from conflicto import migrations
from tests.support.servers import create_database

POSTGRES_TEMPLATE = "conflicto_template"

HEADROOM = "60s"
"""Time that emptying may wait for a lock. Only a test that failed to close its app holds one."""

MAX_DEAD_BYTES = 262_144
"""Size of a table up to which its rows are deleted one by one."""

_END_OTHERS = (
    "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)

_TABLES = """
    SELECT relname, pg_table_size(oid) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
"""

_SHAPE = """
    WITH ours AS (SELECT * FROM pg_class WHERE relnamespace = 'public'::regnamespace)
    SELECT md5(string_agg(part, chr(10) ORDER BY part)) FROM (
        SELECT ROW(oid, relname, relkind, relpersistence, relowner, relacl, reloptions)::text FROM ours
        UNION ALL SELECT a::text FROM pg_attribute a JOIN ours ON ours.oid = attrelid
        UNION ALL SELECT i::text FROM pg_index i JOIN ours ON ours.oid = indrelid
        UNION ALL SELECT c::text FROM pg_constraint c JOIN ours ON ours.oid = conrelid
        UNION ALL SELECT t::text FROM pg_trigger t JOIN ours ON ours.oid = tgrelid
        UNION ALL SELECT p::text FROM pg_proc p WHERE pronamespace = 'public'::regnamespace
        UNION ALL SELECT n::text FROM pg_namespace n WHERE nspname NOT LIKE 'pg\\_temp%' AND nspname NOT LIKE 'pg\\_toast\\_temp%'
        UNION ALL SELECT s::text FROM pg_db_role_setting s
        UNION ALL SELECT ROW(datallowconn, datconnlimit, datacl)::text FROM pg_database WHERE datname = current_database()
        UNION ALL SELECT version_num FROM alembic_version
    ) AS parts (part)
"""
"""Query of the schema and settings of a database, without rows, sizes and statistics."""


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


class SharedPostgres:
    """One database for all tests of a process, empty at the start of each.

    A test that changed more than rows costs a new one.
    """

    def __init__(self, admin_url: str) -> None:
        self._admin_url, self._copies = admin_url, ExitStack()
        self._copy()

    def renew(self) -> None:
        """Delete the rows of the last test.

        If the test changed the schema or made the database unreachable, create a new database.
        """
        with suppress(psycopg.Error), _connected(self.url) as connection:
            _empty(connection)
            if _shape(connection) == self._made:
                return
        self.close()
        self._copy()

    def close(self) -> None:
        self._copies.close()

    def _copy(self) -> None:
        self.url = self._copies.enter_context(postgres_copy(self._admin_url))
        with _connected(self.url) as connection:
            self._made = _shape(connection)


def empty_postgres(url: str) -> None:
    """Delete every row except the schema's revision, as in a new copy."""
    with _connected(url) as connection:
        _empty(connection)


def _connected(url: str) -> psycopg.Connection:
    return psycopg.connect(url, autocommit=True, options=f"-c lock_timeout={HEADROOM} -c session_replication_role=replica")


def _empty(connection: psycopg.Connection) -> None:
    """Delete the rows of all tables, or truncate them if some have many dead rows.

    Dead rows of earlier tests would slow down the next ones.

    PostgreSQL gives each table and index that it truncates a new file, and syncs it: that takes ten
    times as long as deletes.
    """
    connection.execute(_END_OTHERS)
    tables = connection.execute(_TABLES).fetchall()
    names = [sql.Identifier(name) for name, _ in tables]
    if any(size > MAX_DEAD_BYTES for _, size in tables):
        connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY").format(sql.SQL(", ").join(names)))
    else:
        connection.execute(sql.SQL("; ").join(sql.SQL("DELETE FROM {}").format(name) for name in names))


def _shape(connection: psycopg.Connection) -> str:
    (shape,) = connection.execute(_SHAPE).fetchone() or ("",)
    return str(shape)
