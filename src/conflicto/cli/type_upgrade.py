"""Upgrade of all activities to the newest versions of their types, one transaction for each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from conflicto.activities.model import StoredVersion
from conflicto.activities.queries import stored_versions, typed_activities
from conflicto.activities.session_types.model import is_session_version
from conflicto.activity_types.upgrade import UpgradeFailed
from conflicto.platform.clock import Clock
from conflicto.platform.db.transaction import WriteTx
from conflicto.platform.problems import NotFound
from conflicto.responses.commands.upgrade import carry_out, plan_upgrade
from conflicto.sessions.feed_heads.store import FeedHeads

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conflicto.activities.model import Activity
    from conflicto.activity_types.registry import Registry
    from conflicto.platform.db.engine import Database
    from conflicto.platform.db.transaction import ReadTx
    from conflicto.responses.commands.upgrade import UpgradePlan

MAX_BATCH_ACTIVITIES = 100
"""Activities whose keys are read at once."""

MAX_LISTED_FAILURES = 50
"""Failures that a summary lists; it counts all of them."""


class Stride(NamedTuple):
    """A type with an older and its newest version."""

    type: str
    source: str
    target: str

    def __str__(self) -> str:
        """Return the stride for operators.

        >>> str(Stride("mood", "1", "2"))
        'mood 1 → 2'
        """
        return f"{self.type} {self.source} → {self.target}"


@dataclass(slots=True)
class UpgradeSummary:
    """Counts of an upgrade by stride, and what was left as it is.

    `failures` are sentences with session, activity and reason. `stranded` counts the activities
    without declared steps, and `unavailable` those whose version is not registered.
    """

    activities: Counter[Stride] = field(default_factory=Counter)
    responses: Counter[Stride] = field(default_factory=Counter)
    sessions: dict[Stride, set[int]] = field(default_factory=dict)
    stranded: Counter[Stride] = field(default_factory=Counter)
    unavailable: list[StoredVersion] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    failed: int = 0

    def add(self, plan: UpgradePlan) -> None:
        """Count an upgraded activity."""
        stride = Stride(plan.activity.type, plan.activity.type_version or "", plan.upgrade.target.version)
        self.activities[stride] += 1
        self.responses[stride] += plan.responses
        self.sessions.setdefault(stride, set()).add(plan.activity.session_id)

    def add_failure(self, activity: Activity, reason: str) -> None:
        """Count an activity that does not fit its newest version."""
        self.failed += 1
        if len(self.failures) < MAX_LISTED_FAILURES:
            named = f"session {activity.session_id}, activity {activity.id} ({activity.type} {activity.type_version})"
            self.failures.append(f"{named}: {reason}")


def upgrade_activities(db: Database, types: Registry, names: Sequence[str], *, dry_run: bool) -> UpgradeSummary:
    """Upgrade the activities of some types, or only try it; a repeated run continues.

    Names without a registered type are allowed: their activities are counted as unavailable.
    """
    summary = UpgradeSummary()
    for activity in _outdated(db, types, [name for name in names if types.find(name)]):
        try:
            plan = db.query(plan_upgrade, activity.id, types) if dry_run else _upgrade(db, activity, types)
        except UpgradeFailed as error:
            summary.add_failure(activity, str(error))
        except NotFound:
            continue  # deleted meanwhile
        else:
            if plan is not None:
                summary.add(plan)
            elif not types.is_unavailable(activity.type, activity.type_version):
                newest = types.get(activity.type).version
                summary.stranded[Stride(activity.type, activity.type_version or "", newest)] += 1
    planned = {(stride.type, stride.source) for stride in summary.activities}
    stored = [
        each
        for each in db.query(stored_versions)
        if each.type in names and (each.type, each.version) not in planned and not is_session_version(each.version)
    ]
    summary.unavailable = sorted(each for each in stored if types.is_unavailable(each.type, each.version))
    return summary


def _outdated(db: Database, types: Registry, names: Sequence[str]) -> Iterator[Activity]:
    """Yield activities without the newest version of their type, except types of sessions."""
    newest = {name: types.get(name).version for name in names}
    after = UUID(int=0)
    while batch := db.query(_read_batch, names, after):
        outdated = (each for each in batch if each.type_version != newest[each.type])
        yield from (each for each in outdated if not is_session_version(each.type_version))
        after = batch[-1].id


def _read_batch(tx: ReadTx, names: Sequence[str], after: UUID) -> list[Activity]:
    return typed_activities(tx, names, after=after, limit=MAX_BATCH_ACTIVITIES)


def _upgrade(db: Database, activity: Activity, types: Registry) -> UpgradePlan | None:
    """Upgrade one activity in one transaction, under the lock of its session."""
    heads = FeedHeads()
    with db.writer_connection() as connection, connection.begin():
        locked = heads.lock(connection, [activity.session_id])
        tx = WriteTx(connection, now_us=db.dialect.now_us(connection, Clock()), heads=locked, subscribers={})
        plan = plan_upgrade(tx, activity.id, types)
        if plan is not None:
            carry_out(tx, plan)
            heads.save(tx, tx.heads)
        return plan
