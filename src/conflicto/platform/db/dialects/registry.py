"""The databases that this program supports, and the one place that chooses between them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from conflicto.platform.db.dialects import sqlite_url
from conflicto.platform.db.dialects.dialect import DatabaseUrlInvalid

if TYPE_CHECKING:
    from sqlalchemy import URL

    from conflicto.platform.db.dialects.dialect import Dialect

CLASSES = {
    "sqlite": "conflicto.platform.db.dialects.sqlite:SQLite",
    "postgresql": "conflicto.platform.db.dialects.postgresql:PostgreSQL",
}
"""Class of each dialect, by the name that SQLAlchemy's URLs and connections give it."""

POSTGRESQL_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")


class LoadedDialects(dict[str, "Dialect"]):
    """Dialects by name. A driver is imported at first use: its import takes a tenth of a start."""

    def __missing__(self, name: str) -> Dialect:
        module, _, attribute = CLASSES[name].partition(":")
        dialect: Dialect = getattr(import_module(module), attribute)()
        self[name] = dialect
        return dialect


DIALECTS = LoadedDialects()
"""Every dialect in use, by its name."""


def parse_database_url(text: str) -> URL:
    """Return a database's URL.

    Raises:
        DatabaseUrlInvalid: it is not the URL of a supported database.
    """
    scheme, _, rest = text.partition("://")
    if scheme in POSTGRESQL_SCHEMES:
        from conflicto.platform.db.dialects import postgresql_url  # noqa: PLC0415 - it imports the driver

        return postgresql_url.parse(rest)
    if scheme.partition("+")[0] == sqlite_url.SCHEME:
        return sqlite_url.parse(text)
    message = (
        f"DATABASE_URL begins with `{scheme[:20]}`. Write `postgresql://user:password@host/name`, or `sqlite:///path` for a file."
    )
    raise DatabaseUrlInvalid(message)


def dialect_of(url: URL) -> Dialect:
    """Return the dialect of a database."""
    return DIALECTS[url.get_backend_name()]
