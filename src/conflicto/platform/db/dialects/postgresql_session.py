"""Session settings that correctness needs on PostgreSQL, set and verified with or without a pooler.

Without a pooler they are sent with the start of the connection and hold throughout. A pooler may
drop them there, and may give each transaction another server connection. Behind one they are set at
the beginning of each transaction, and statements are not prepared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import IsolationLevel
from psycopg.errors import OperationalError

from conflicto.platform.db.dialects.postgresql_url import parse_options

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from psycopg import Connection
    from sqlalchemy import Connection as SqlAlchemyConnection

TRANSACTION_SETTINGS = {
    "default_transaction_isolation": "transaction_isolation",
    "default_transaction_read_only": "transaction_read_only",
}
"""Settings of readers that a transaction states when it begins, by the setting that shows them."""

UNSUPPORTED_PARAMETER = "unsupported startup parameter"
"""PgBouncer's message about startup parameters that it would have to drop."""

UTF8 = "UTF8"


class SettingNotApplied(OperationalError):
    """A necessary setting does not hold on a new connection; the text names it."""


class EncodingUnsupported(OperationalError):
    """The encoding of the database cannot hold every text."""


class SessionSettings:
    """Opens connections with the settings. `settings` override those in `options` of the URL."""

    def __init__(
        self,
        connect: Callable[..., Connection[Any]],
        parameters: Mapping[str, Any],
        settings: Mapping[str, str],
        *,
        read_only: bool,
    ) -> None:
        self._connect = connect
        self._parameters = {name: value for name, value in parameters.items() if name != "options"} | {"client_encoding": "utf8"}
        self._settings = parse_options(str(parameters.get("options", ""))) | dict(settings)
        self._read_only = read_only
        session_values = {name: value for name, value in self._settings.items() if name not in TRANSACTION_SETTINGS}
        self._setting = "SELECT " + ", ".join(
            f"set_config({_quoted(name)}, {_quoted(value)}, true)" for name, value in session_values.items()
        )
        self._takes_options = True

    def open(self) -> Connection[Any]:
        """Open a connection and verify it.

        Raises:
            SettingNotApplied: a setting does not hold there.
            EncodingUnsupported: the database has another encoding than UTF-8.
        """
        connection = self._connect_with_options()
        try:
            _require_encoding(connection)
            is_pooled, differing = self._first_difference(connection, in_transaction=False)
            if is_pooled:
                differing = self._set_up_pooled(connection)
            _require_no_difference(differing)
        except BaseException:
            connection.close()
            raise
        return connection

    def begin(self, connection: SqlAlchemyConnection) -> None:
        """Set what a pooler would drop, in a transaction that has just begun."""
        if getattr(connection.connection.dbapi_connection, "is_pooled", False):
            connection.exec_driver_sql(self._setting)

    def _connect_with_options(self) -> Connection[Any]:
        if self._takes_options:
            options = " ".join(f"-c {name}={_escaped(value)}" for name, value in self._settings.items())
            try:
                return self._connect(**self._parameters, options=options)
            except OperationalError as error:
                if UNSUPPORTED_PARAMETER not in str(error) or "options" not in str(error):
                    raise
                self._takes_options = False
        return self._connect(**self._parameters)

    def _set_up_pooled(self, connection: Connection[Any]) -> str | None:
        """Set up a connection behind a pooler, and return the first setting that does not hold."""
        connection.prepare_threshold = None
        if self._read_only:
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            connection.read_only = True
        connection.is_pooled = True  # type: ignore[attr-defined]
        return self._first_difference(connection, in_transaction=True)[1]

    def _first_difference(self, connection: Connection[Any], *, in_transaction: bool) -> tuple[bool, str | None]:
        """Return whether a pooler is in between, and the first setting that does not hold.

        Values are compared as the server formats them.
        """
        if in_transaction:
            connection.execute(self._setting)
        pairs = ", ".join(_pair(name, value, in_transaction=in_transaction) for name, value in self._settings.items())
        pid, *values = connection.execute(f"SELECT pg_backend_pid(), {pairs}").fetchall()[0]
        connection.rollback()
        for name, actual, required in zip(self._settings, values[::2], values[1::2], strict=True):
            if actual != required:
                return pid != connection.info.backend_pid, f"{name} is {actual} and must be {required}"
        return pid != connection.info.backend_pid, None


def _pair(name: str, value: str, *, in_transaction: bool) -> str:
    """Return two columns: the actual and the required value of a setting."""
    if name not in TRANSACTION_SETTINGS:
        return f"current_setting({_quoted(name)}), set_config({_quoted(name)}, {_quoted(value)}, true)"
    return f"current_setting({_quoted(TRANSACTION_SETTINGS[name] if in_transaction else name)}), {_quoted(value)}"


def _require_no_difference(differing: str | None) -> None:
    if differing is not None:
        raise SettingNotApplied(differing)


def _require_encoding(connection: Connection[Any]) -> None:
    found = connection.info.parameter_status("server_encoding")
    if found not in {None, UTF8}:
        message = f"its encoding is {found}"
        raise EncodingUnsupported(message)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(" ", "\\ ")
