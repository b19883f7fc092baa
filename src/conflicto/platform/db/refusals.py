"""Why a database cannot be used at a start, in one sentence with its remedy; and whether waiting may help.

A server that refuses a connection tells no SQLSTATE through libpq, so its words are looked at. What is not known is taken for an outage.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from psycopg import Error
from sqlalchemy.exc import DBAPIError

from conflicto.platform.db.session_settings import EncodingUnfit, SettingLost

MAX_SAID = 300


class Refusal(NamedTuple):
    """Words of a server or of libpq, or a SQLSTATE, and what to do about them."""

    words: re.Pattern[str]
    states: frozenset[str]
    remedy: str


def _refusal(words: str, remedy: str, *states: str) -> Refusal:
    return Refusal(re.compile(words, re.IGNORECASE), frozenset(states), remedy)


REFUSALS = (
    _refusal(
        r"password authentication failed|no password supplied|SASL authentication failed|authentication failed|no such user|"
        r"role \".*\" does not exist|not permitted to log in",
        "Check user and password in DATABASE_URL (@ : / ? in a password are written %40 %3A %2F %3F).",
        "28P01", "28000",
    ),
    _refusal(r"database \".*\" does not exist|no such database", "Make it with `createdb --encoding UTF8 NAME`.", "3D000"),
    _refusal(r"no pg_hba\.conf entry|pg_hba\.conf rejects", "Let the user in from this address in pg_hba.conf, or correct DATABASE_URL."),
    _refusal(
        r"does not support SSL|SSL error|certificate|sslmode|SSL required|SSL connection is required|SSL negotiation",
        "Set up TLS at the server, or write another `sslmode` or `sslrootcert` in DATABASE_URL.",
    ),
    _refusal(r"unrecognized configuration parameter|invalid value for parameter", "Correct `options` in DATABASE_URL.", "42704", "22023"),
    _refusal(
        r"invalid integer value|invalid port number|invalid \w+ value: |could not parse network address|definition of service|service file",
        "Correct DATABASE_URL.",
    ),
    _refusal(r"statement pooling", "Set pool_mode of the pooler to `session` or `transaction`."),
    _refusal(r"unsupported startup parameter", "Name this parameter in ignore_startup_parameters of the pooler."),
    _refusal(
        r"permission denied", "Give the user the rights: GRANT CREATE, USAGE ON SCHEMA public, or make it the database's owner.", "42501"
    ),
    _refusal(
        r"read-only transaction|session is read-only|not in hot standby",
        "The server takes no writes: write the address of the primary, or make room if its disk is full.", "25006",
    ),
    _refusal(r"no schema has been selected", "Make the schema that search_path in DATABASE_URL names: CREATE SCHEMA NAME.", "3F000"),
)  # fmt: skip
"""Causes that stay until somebody acts."""


def why(error: Exception) -> str | None:
    """Return the sentence for an error that no waiting mends, None if it may pass."""
    found = _cause(error)
    if not isinstance(found, Error):
        return None
    said = said_of(found).rstrip(".")
    if isinstance(found, EncodingUnfit):
        return f"The database cannot hold every text: {said}. Make it anew: createdb --encoding UTF8 --template template0 NAME."
    if isinstance(found, SettingLost):
        return f"A setting of the connection is not kept: {said}. Look at the pooler, and at `options` in DATABASE_URL."
    state = getattr(found, "sqlstate", None)
    for refusal in REFUSALS:
        if state in refusal.states or refusal.words.search(said):
            return f"The database cannot be used: {said}. {refusal.remedy}"
    return None


def said_of(error: Exception) -> str:
    """Return the first line of an error, for a log or a sentence; libpq says more of each address that it tried, one a line."""
    return str(_cause(error)).strip().partition("\n")[0][:MAX_SAID]


def _cause(error: BaseException) -> BaseException:
    """Return the driver's error behind another."""
    while not isinstance(error, Error):
        behind = error.orig if isinstance(error, DBAPIError) else error.__cause__
        if behind is None:
            break
        error = behind
    return error
