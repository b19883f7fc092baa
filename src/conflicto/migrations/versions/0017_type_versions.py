"""Store the version of its type with each activity.

Included types had one version, "1". Whether another type was registered is not known any more:
"unknown" means the oldest version that a server has, or opaque JSON without one.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

INCLUDED = ("estimate", "poker", "poll", "pulse", "questions", "quiz", "ranking", "rating", "wall", "words")


def upgrade() -> None:
    op.add_column("activities", sa.Column("type_version", sa.String(17), nullable=True))
    activities = sa.table("activities", sa.column("type"), sa.column("type_version"))
    version = sa.case((activities.c.type.in_(INCLUDED), "1"), else_="unknown")
    op.execute(activities.update().values(type_version=version))


def downgrade() -> None:
    op.drop_column("activities", "type_version")
