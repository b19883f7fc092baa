"""Empty, migrated databases for tests: copied from a template, because migrating takes longer than most tests."""

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
def postgres_copy(admin_url: str) -> Iterator[str]:
    name = "t_" + secrets.token_hex(6)
    url = create_database(admin_url, name, template=POSTGRES_TEMPLATE)
    try:
        yield url
    finally:
        with psycopg.connect(admin_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
