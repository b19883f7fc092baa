"""Explanations of database errors that no waiting mends: one sentence with a remedy each.

libpq reports no SQLSTATE when a server refuses a connection, so its message is matched instead. An
unknown error counts as an outage.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from psycopg import Error

from conflicto.platform.db.dialects.postgresql_session import EncodingUnsupported, SettingNotApplied
from conflicto.platform.db.errors import driver_error, first_line


class KnownError(NamedTuple):
    """A permanent error, recognised by its message or SQLSTATE, and its remedy."""

    pattern: re.Pattern[str]
    sqlstates: frozenset[str]
    remedy: str


def _known_error(pattern: str, remedy: str, *sqlstates: str) -> KnownError:
    return KnownError(re.compile(pattern, re.IGNORECASE), frozenset(sqlstates), remedy)


KNOWN_ERRORS = (
    _known_error(
        r"password authentication failed|no password supplied|SASL authentication failed|authentication failed|no such user|"
        r"role \".*\" does not exist|not permitted to log in",
        "Check user and password in DATABASE_URL (@ : / ? in a password are written %40 %3A %2F %3F).",
        "28P01", "28000",
    ),
    _known_error(r"database \".*\" does not exist|no such database", "Create it with `createdb --encoding UTF8 NAME`.", "3D000"),
    _known_error(
        r"no pg_hba\.conf entry|pg_hba\.conf rejects",
        "Allow the user from this address in pg_hba.conf, or correct DATABASE_URL.",
    ),
    _known_error(
        r"does not support SSL|SSL error|certificate|sslmode|SSL required|SSL connection is required|SSL negotiation",
        "Set up TLS at the server, or write another `sslmode` or `sslrootcert` in DATABASE_URL.",
    ),
    _known_error(
        r"unrecognized configuration parameter|invalid value for parameter",
        "Correct `options` in DATABASE_URL.", "42704", "22023",
    ),
    _known_error(
        r"invalid integer value|invalid port number|invalid \w+ value: |could not parse network address|definition of service|service file",
        "Correct DATABASE_URL.",
    ),
    _known_error(r"statement pooling", "Set pool_mode of the pooler to `session` or `transaction`."),
    _known_error(r"unsupported startup parameter", "Name this parameter in ignore_startup_parameters of the pooler."),
    _known_error(
        r"permission denied",
        "Grant the user the rights (GRANT CREATE, USAGE ON SCHEMA public), or make it the owner of the database.", "42501",
    ),
    _known_error(
        r"read-only transaction|session is read-only|not in hot standby",
        "The server takes no writes: write the address of the primary, or free space if its disk is full.", "25006",
    ),
    _known_error(
        r"no schema has been selected",
        "Create the schema that search_path in DATABASE_URL names: CREATE SCHEMA NAME.", "3F000",
    ),
)  # fmt: skip
"""Errors that last until an operator acts."""


def explain(error: Exception) -> str | None:
    """Return the sentence for a permanent error, None for an error that may pass."""
    found = driver_error(error)
    if not isinstance(found, Error):
        return None
    message = first_line(found).rstrip(".")
    if isinstance(found, EncodingUnsupported):
        return (
            f"The database cannot hold every text: {message}. Create it again: createdb --encoding UTF8 --template template0 NAME."
        )
    if isinstance(found, SettingNotApplied):
        return f"A setting of the connection does not hold: {message}. Check the pooler, and `options` in DATABASE_URL."
    sqlstate = getattr(found, "sqlstate", None)
    for known in KNOWN_ERRORS:
        if sqlstate in known.sqlstates or known.pattern.search(message):
            return f"The database cannot be used: {message}. {known.remedy}"
    return None
