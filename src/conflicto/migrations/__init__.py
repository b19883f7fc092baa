"""One Alembic history for both databases. `upgrade` is the only way in for the rest of the program."""

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
    made = Config()
    made.set_main_option("script_location", str(HERE))
    made.attributes["url"] = url
    return made


def upgrade(url: str, to: str = "head") -> None:
    """Bring a database to a revision; on either database a migration is one transaction, so half of one never stays."""
    command.upgrade(config(url), to)


def upgrade_within(connection: Connection, to: str = "head") -> None:
    """Bring a database to a revision in a transaction that is open already."""
    made = config("")
    made.attributes["connection"] = connection
    command.upgrade(made, to)


def known_revisions() -> list[str]:
    """Return every revision of the history, the oldest first."""
    return [each.revision for each in ScriptDirectory.from_config(config("")).walk_revisions()][::-1]


def downgrade(url: str, to: str) -> None:
    """Take a database back to a revision."""
    command.downgrade(config(url), to)
