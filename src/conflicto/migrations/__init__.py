"""One Alembic history for both databases. The program upgrades through `upgrade` only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

if TYPE_CHECKING:
    from sqlalchemy import Connection

HERE = Path(__file__).parent


def config(url: str) -> Config:
    """Return Alembic's configuration for a database."""
    configuration = Config()
    configuration.set_main_option("script_location", str(HERE))
    configuration.attributes["url"] = url
    return configuration


def upgrade(url: str, to: str = "head") -> None:
    """Bring a database to a revision.

    A migration is one transaction on either database, so none stays half done.
    """
    command.upgrade(config(url), to)


def upgrade_within(connection: Connection, to: str = "head") -> None:
    """Bring a database to a revision within an open transaction."""
    configuration = config("")
    configuration.attributes["connection"] = connection
    command.upgrade(configuration, to)


def known_revisions() -> list[str]:
    """Return every revision of the history, oldest first."""
    return [each.revision for each in ScriptDirectory.from_config(config("")).walk_revisions()][::-1]


def downgrade(url: str, to: str) -> None:
    """Take a database back to a revision."""
    command.downgrade(config(url), to)
