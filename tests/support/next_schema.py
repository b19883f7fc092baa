"""The schema of a future version: every change that the migration rules allow, on every table."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from conflicto import migrations
from conflicto.platform.db.schema import SCHEMA

NEXT = "9001"

REVISION = f"""
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "{NEXT}", "{SCHEMA}", None, None
NAMES = {{names}}


def upgrade():
    for name in NAMES:
        op.add_column(name, sa.Column("newer_text", sa.Text(), nullable=True))
        op.add_column(name, sa.Column("newer", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table("newer", sa.Column("id", sa.BigInteger(), primary_key=True))


def downgrade():
    op.drop_table("newer")
    for name in reversed(NAMES):
        op.drop_column(name, "newer")
        op.drop_column(name, "newer_text")
"""


class NextSchema:
    """The history of migrations with one more revision, in its own folder."""

    def __init__(self, folder: Path, url: str, tables: list[str]) -> None:
        folder.mkdir()
        (folder / "9001_next.py").write_text(REVISION.format(names=tables))
        self._config: Config = migrations.config(url)
        self._config.set_main_option("path_separator", "newline")
        self._config.set_main_option("version_locations", f"{migrations.HERE / 'versions'}\n{folder}")

    def upgrade(self) -> None:
        """Migrate like `conflicto db upgrade` of that version."""
        command.upgrade(self._config, "head")

    def downgrade(self) -> None:
        """Downgrade to our schema."""
        command.downgrade(self._config, SCHEMA)
