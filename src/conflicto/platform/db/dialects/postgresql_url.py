"""The URL of a PostgreSQL database as libpq reads it: several hosts, options, every parameter."""

from __future__ import annotations

import re
import shlex
from typing import Any

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, timeout_from_conninfo
from sqlalchemy import URL

from conflicto.platform.db.dialects.dialect import DatabaseUrlInvalid

WRITABLE_TARGETS = (None, "primary", "read-write")
"""Values of `target_session_attrs` with which a server may write."""

URL_FIELDS = {"user": "username", "password": "password", "dbname": "database"}
"""Parameters of libpq that are fields of SQLAlchemy's URL; all others stand in its query."""


UNKNOWN_PARAMETER = "invalid URI query parameter"

_NAME = re.compile(r"[A-Za-z_][\w.]*", re.ASCII)


def parse(rest: str) -> URL:
    """Return the URL whose part after `://` is `rest`; `libpq_parameters` converts it for libpq.

    Raises:
        DatabaseUrlInvalid: libpq does not know a parameter, or its servers may not write.
    """
    try:
        known: dict[str, Any] = {
            name: str(value) for name, value in conninfo_to_dict(f"postgresql://{rest}").items() if value is not None
        }
    except ProgrammingError as error:
        message = (
            f"DATABASE_URL cannot be read: {_without_quotes(str(error))}. Remove what libpq does not know,"
            " and write @ : / ? % in a password as %40 and so on."
        )
        raise DatabaseUrlInvalid(message) from None
    try:
        timeout_from_conninfo(known)
    except ProgrammingError:
        message = "DATABASE_URL has a `connect_timeout` that is not a number. Write whole seconds."
        raise DatabaseUrlInvalid(message) from None
    if known.get("target_session_attrs") not in WRITABLE_TARGETS:
        message = "DATABASE_URL asks for servers that may not write. Leave `target_session_attrs` out, or write `primary` or `read-write`."
        raise DatabaseUrlInvalid(message)
    parse_options(known.get("options", ""))
    fields = {URL_FIELDS[name]: known.pop(name) for name in URL_FIELDS if name in known}
    return URL.create("postgresql", query=known, **fields)


def _without_quotes(message: str) -> str:
    """Return libpq's message without a quoted end, which may be the URL with its password.

    Names of parameters stay.
    """
    start = message.strip().partition(': "')[0]
    return message.strip() if start == UNKNOWN_PARAMETER else start


def libpq_parameters(url: URL) -> dict[str, str]:
    """Return the parameters with which libpq opens a connection to PostgreSQL."""
    fields = {name: getattr(url, field) for name, field in URL_FIELDS.items()}
    whole = fields | {"host": url.host, "port": url.port} | dict(url.query)
    return {name: str(value) for name, value in whole.items() if value is not None}


def parse_options(options: str) -> dict[str, str]:
    r"""Return the settings in the `options` of a URL.

    >>> parse_options(r"-csearch_path=a,b -c work_mem=8MB --geqo=off -c x.y=two\ words")
    {'search_path': 'a,b', 'work_mem': '8MB', 'geqo': 'off', 'x.y': 'two words'}

    Raises:
        DatabaseUrlInvalid: a word in them sets nothing.
    """
    words, found = shlex.split(options), {}
    while words:
        word = words.pop(0)
        if word == "-c" and words:
            word = words.pop(0)
        else:
            word = word.removeprefix("-c") if word.startswith("-c") else word.removeprefix("--").replace("-", "_")
        name, is_set, value = word.partition("=")
        if not is_set or not _NAME.fullmatch(name):
            message = f"DATABASE_URL has `options` with `{word}`, which sets nothing. Write -c name=value."
            raise DatabaseUrlInvalid(message)
        found[name] = value
    return found
