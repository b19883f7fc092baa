"""The databases that this program supports, and the one place that chooses between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.platform.db.dialects import postgresql_url, sqlite_url
from conflicto.platform.db.dialects.dialect import DatabaseUrlInvalid
from conflicto.platform.db.dialects.postgresql import PostgreSQL
from conflicto.platform.db.dialects.sqlite import SQLite

if TYPE_CHECKING:
    from sqlalchemy import URL

    from conflicto.platform.db.dialects.dialect import Dialect

DIALECTS: dict[str, Dialect] = {each.name: each for each in (SQLite(), PostgreSQL())}
"""Every dialect, by the name that SQLAlchemy's URLs and connections give it."""


def parse_database_url(text: str) -> URL:
    """Return a database's URL.

    Raises:
        DatabaseUrlInvalid: it is not the URL of a supported database.
    """
    scheme, _, rest = text.partition("://")
    if scheme in postgresql_url.SCHEMES:
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
