"""Upgrade of an activity with its answers to the newest version of its type.

One transaction changes everything of one activity. Answers are read and written in batches, and
each changed answer is a new revision at the end of the feed. Its author, times and moderation stay.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING
from uuid import UUID

from conflicto.activities.commands.upgrade import save_in_version
from conflicto.activities.model import Content
from conflicto.activities.queries import activity_with_content
from conflicto.activity_types.upgrade import UpgradeFailed, upgrades_of
from conflicto.responses import store
from conflicto.responses.commands.pool import record_pooled
from conflicto.responses.commands.record import record_changes
from conflicto.responses.pool import store as pool
from conflicto.sessions.feed_heads.store import read_head

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conflicto.activities.model import Activity
    from conflicto.activity_types.registry import Registry
    from conflicto.activity_types.upgrade import TypeUpgrade, UpgradedContent
    from conflicto.platform.db.transaction import ReadTx, WriteTx
    from conflicto.responses.model import ParticipantResponse
    from conflicto.responses.pool.model import PooledResponse

MAX_BATCH_RESPONSES = 500
"""Answers that are in memory at once."""

_FIRST_ID = UUID(int=0)


@dataclass(frozen=True, slots=True)
class UpgradePlan:
    """A checked upgrade of an activity. `responses` counts its answers in all rounds."""

    activity: Activity
    before: Content
    upgrade: TypeUpgrade
    after: UpgradedContent
    responses: int


def plan_upgrade(tx: ReadTx, activity_id: UUID, types: Registry) -> UpgradePlan | None:
    """Return the upgrade of an activity after trying it with every answer.

    None: the activity has the newest version, or no steps lead there.

    Raises:
        NotFound: the activity was deleted.
        UpgradeFailed: the JSON or an answer does not fit; names the place and the reason.
    """
    activity, content = activity_with_content(tx, activity_id)
    failure: UpgradeFailed | None = None
    for upgrade in upgrades_of(types, activity.type, activity.type_version):
        try:
            after = upgrade.content(content.config, content.secret, content.aggregate)
            return UpgradePlan(activity, content, upgrade, after, _count_fitting(tx, activity, upgrade, after))
        except UpgradeFailed as error:
            failure = failure or error
    if failure is not None:
        raise failure
    return None


def carry_out(tx: WriteTx, plan: UpgradePlan) -> None:
    """Store an upgrade that `plan_upgrade` returned in the same transaction."""
    activity, after = plan.activity, plan.after
    target = plan.upgrade.target
    content = Content(config=after.config, secret=after.secret, aggregate=after.aggregate, scopes=target.scopes)
    for batch in _batches(tx, activity):
        _save_batch(tx, plan, batch)
        tx.events.clear()  # other processes follow the feed, and a round may have millions of answers
    for pooled in _pooled_batches(tx, activity):
        _save_pooled(tx, plan, pooled)
        tx.events.clear()
    save_in_version(tx, activity, (plan.before, content), target.version)


def _count_fitting(tx: ReadTx, activity: Activity, upgrade: TypeUpgrade, after: UpgradedContent) -> int:
    """Return the number of answers; every one fits after the upgrade.

    Raises:
        UpgradeFailed: one does not fit.
    """
    count = 0
    batches: Iterator[Sequence[ParticipantResponse | PooledResponse]] = chain(_batches(tx, activity), _pooled_batches(tx, activity))
    for batch in batches:
        for each in batch:
            try:
                upgrade.response(each.text or "null", after.validator)
            except UpgradeFailed as error:
                message = f"answer {each.id}: {error}"
                raise UpgradeFailed(message) from None
        count += len(batch)
    return count


def _batches(tx: ReadTx, activity: Activity) -> Iterator[list[ParticipantResponse]]:
    """Yield the live answers of all rounds in feed order; a change does not bring one back."""
    after, through = 0, read_head(tx, activity.session_id).ts
    while True:
        batch = store.activity_feed(
            tx, activity.id, after=after, through=through, limit=MAX_BATCH_RESPONSES, live_only=True, visible_only=False
        )
        if not batch:
            return
        yield batch
        after = batch[-1].ts


def _pooled_batches(tx: ReadTx, activity: Activity) -> Iterator[list[PooledResponse]]:
    """Yield the answers that wait for their release, in all rounds."""
    after = _FIRST_ID
    while batch := pool.responses_of_activity(tx, activity.id, after=after, limit=MAX_BATCH_RESPONSES):
        yield batch
        after = batch[-1].id


def _save_batch(tx: WriteTx, plan: UpgradePlan, batch: list[ParticipantResponse]) -> None:
    changed = [(each, *_texts(plan, each)) for each in batch]
    changed = [(each, text, masked) for each, text, masked in changed if (text, masked) != (each.text, each.masked)]
    if changed:
        timestamps = tx.head(plan.activity.session_id).next_ts_range(tx.now_us, len(changed))
        record_changes(tx, plan.activity.session_id, [
            (each, replace(each, text=text, masked=masked, ts=ts, revision=each.revision + 1))
            for ts, (each, text, masked) in zip(timestamps, changed, strict=True)
        ])  # fmt: skip


def _save_pooled(tx: WriteTx, plan: UpgradePlan, batch: list[PooledResponse]) -> None:
    head = tx.head(plan.activity.session_id)
    changes = []
    for each in batch:
        text, masked = _texts(plan, each)
        if (text, masked) != (each.text, each.masked):
            changes.append((each, replace(each, text=text, masked=masked, ts=head.next_own_ts(tx.now_us))))
    if changes:
        record_pooled(tx, plan.activity, changes)


def _texts(plan: UpgradePlan, response: ParticipantResponse | PooledResponse) -> tuple[str, str | None]:
    masked = response.masked
    return (
        plan.upgrade.response(response.text or "null", plan.after.validator),
        None if masked is None else plan.upgrade.masked_response(masked),
    )
