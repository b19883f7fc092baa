"""The URL of a SQLite database: the path of its file."""

from __future__ import annotations

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from conflicto.platform.db.dialects.dialect import DatabaseUrlInvalid

SCHEME = "sqlite"


def parse(text: str) -> URL:
    """Return the URL.

    Raises:
        DatabaseUrlInvalid: it is more than a path.
    """
    try:
        url = make_url(text)
    except ArgumentError:
        message = (
            "DATABASE_URL cannot be parsed. Write `sqlite:///path`, "
            "with three slashes before a relative path and four before an absolute one."
        )
        raise DatabaseUrlInvalid(message) from None
    if url.query or url.host:
        message = "DATABASE_URL of SQLite takes only a path: `sqlite:///path`, without a host and without parameters."
        raise DatabaseUrlInvalid(message)
    return url
