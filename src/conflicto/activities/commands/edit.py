"""Commands that create, change, copy and delete activities."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from conflicto.activities import store
from conflicto.activities.commands.run import move_activity
from conflicto.activities.content_validation import validated_change
from conflicto.activities.errors import ResponsesExist, TooManyActivities
from conflicto.activities.events import ActivityChanged
from conflicto.activities.model import (
    DEFAULT_MIN_GROUP,
    MAX_ACTIVITIES,
    Activity,
    ActivityStatus,
    Content,
    ModerationPolicy,
    ResponsePolicy,
    ResponsesVisibility,
    ResultsVisibility,
)
from conflicto.activities.privacy import has_binding_settings, weakened_settings
from conflicto.activities.queries import activity_with_content, count_responses
from conflicto.activities.session_types import store as session_types_store
from conflicto.activities.session_types.commands import require_installed
from conflicto.platform.ids import random_uuid
from conflicto.sessions.commands import Revisions, clear_activity, require_active, require_revision
from conflicto.sessions.idempotency import store as idempotency
from conflicto.sessions.links import DEFAULT_LIFETIME_S, create_session_with_links
from conflicto.sessions.model import NewSession, require_open
from conflicto.sessions.queries import session_by_id
from conflicto.sessions.storage_quota import ACTIVITY_BYTES, ROUND_BYTES, require_storage, text_bytes

if TYPE_CHECKING:
    from conflicto.activity_types.registry import Registry
    from conflicto.platform.db.transaction import WriteTx
    from conflicto.sessions.idempotency.store import Key
    from conflicto.sessions.model import Session

CREATED = 201

FROZEN_FIELDS = frozenset({"response_policy", "type"})
"""Fields that never change once an answer exists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewActivity:
    """Fields of a new activity. `order_index` None: after the last one."""

    type: str
    content: Content
    type_version: str | None = None
    title: str | None = None
    order_index: int | None = None
    response_policy: ResponsePolicy = ResponsePolicy.ONE
    results_visibility: ResultsVisibility = ResultsVisibility.AFTER_REVEAL
    responses_visibility: ResponsesVisibility = ResponsesVisibility.HOST
    moderation: ModerationPolicy = ModerationPolicy.OFF
    anonymous: bool = False
    min_group: int = DEFAULT_MIN_GROUP
    duration_seconds: int | None = None


def create_activity(
    tx: WriteTx,
    session_id: int,
    new: NewActivity,
    *,
    status: ActivityStatus = ActivityStatus.DRAFT,
    actor: str,
    key: Key | None = None,
) -> tuple[Activity, Content, int]:
    """Create an activity and return it with its JSON and HTTP status.

    The same key returns the activity of the first request in its current state. A `status` other
    than draft is reached by the regular transitions, in the same transaction.

    Raises:
        TooManyActivities, StorageFull: the session is full.
        SessionCompleted: the session is over.
    """
    earlier = idempotency.find_replay(tx, key)
    if earlier:
        return *activity_with_content(tx, UUID(earlier.entity)), earlier.status
    _require_capacity(tx, session_id, more=1)
    require_installed(tx, session_id, new.type, new.type_version)
    if status is ActivityStatus.ACTIVE:
        require_active(session_by_id(tx, session_id))
    activity = add_activity(tx, session_id, new)
    idempotency.store_keys(tx, [(key, session_id, CREATED, str(activity.id))])
    if status is not ActivityStatus.DRAFT:
        activity = move_activity(tx, activity.id, status, actor=actor)
    return activity, new.content, CREATED


def add_activity(tx: WriteTx, session_id: int, new: NewActivity) -> Activity:
    """Insert a draft."""
    last = store.last_index(tx, session_id) if new.order_index is None else None
    index = new.order_index if new.order_index is not None else (-1 if last is None else last) + 1
    now = tx.next_ts(session_id)
    activity = Activity(
        id=random_uuid(), session_id=session_id, type=new.type, type_version=new.type_version, title=new.title,
        order_index=index, status=ActivityStatus.DRAFT,
        response_policy=new.response_policy, results_visibility=new.results_visibility,
        responses_visibility=new.responses_visibility, moderation=new.moderation, anonymous=new.anonymous,
        min_group=new.min_group, duration_seconds=new.duration_seconds, round=1, started_ts=None, ends_us=None, results_revealed=False,
        secret_revealed=False, was_revealed=False, published_ts=None, revision=1, deleted=False, created_ts=now, updated_ts=now,
    )  # fmt: skip
    store.add(tx, activity, new.content)
    head = tx.head(session_id)
    head.add_count("activities", 1)
    head.add_count("stored_bytes", ACTIVITY_BYTES + ROUND_BYTES + content_bytes(activity, new.content))
    tx.emit(ActivityChanged(activity))
    return activity


def change_activity(
    tx: WriteTx,
    activity_id: UUID,
    fields: dict[str, Any],
    texts: dict[str, Any],
    *,
    types: Registry,
    revisions: Revisions = None,
    force: bool = False,
) -> tuple[Activity, Content]:
    """Replace the given fields and JSON texts; without a change there is no new timestamp.

    Raises:
        RevisionStale: `revisions` does not hold the current one.
        InvalidInput: the type is registered and rejects the JSON, or has no such version.
        TypeUnavailable: this server lacks the type or version of the activity.
        ResponsesExist: the change would alter the question or the privacy settings after answers;
            `force` allows it for `config` and `secret`.
        StorageFull: the change exceeds the session's storage limit.
        SessionCompleted: the session is over.
    """
    activity, content = activity_with_content(tx, activity_id)
    require_revision(activity.revision, revisions)
    require_open(session_by_id(tx, activity.session_id))
    wanted = replace(activity, **{"type_version": None} | fields)
    version, new_content = validated_change(types, (activity, content), (wanted, replace(content, **texts)))
    changed = replace(wanted, type_version=version)
    if (changed, new_content) == (activity, content):
        return activity, content
    require_installed(tx, activity.session_id, changed.type, version)
    frozen = {"type_version"} if _changes_version(types, activity, changed) else set()
    _require_no_responses(tx, (activity, changed), (content, new_content), frozen, force=force)
    head = tx.head(activity.session_id)
    more = content_bytes(changed, new_content) - content_bytes(activity, content)
    if more > 0:
        require_storage(head)
    head.add_count("stored_bytes", more)
    stamped = replace(changed, revision=activity.revision + 1, updated_ts=tx.next_ts(activity.session_id))
    store.save(tx, stamped, new_content)
    tx.emit(ActivityChanged(stamped))
    return stamped, new_content


def delete_activity(tx: WriteTx, activity_id: UUID, *, revisions: Revisions = None) -> int:
    """Delete an activity with its answers and return their number; the feed keeps a tombstone."""
    activity, content = activity_with_content(tx, activity_id)
    require_revision(activity.revision, revisions)
    require_open(session_by_id(tx, activity.session_id))
    stamp = tx.next_ts(activity.session_id)
    tombstone = replace(activity, deleted=True, revision=activity.revision + 1, updated_ts=stamp, ends_us=None)
    empty = Content(config="null", secret=None, aggregate=None)
    store.save(tx, tombstone, empty)
    head = tx.head(activity.session_id)
    head.add_count("activities", -1)
    head.add_count("stored_bytes", content_bytes(tombstone, empty) - content_bytes(activity, content))
    tx.emit(ActivityChanged(tombstone))
    clear_activity(tx, activity.session_id, activity_id)
    return count_responses(store.counts_by_round(tx, activity_id))


def duplicate_session(tx: WriteTx, session_id: int, *, title: str | None = None, lifetime_s: int = DEFAULT_LIFETIME_S) -> Session:
    """Create a draft session with the same activities and own types, and no answers."""
    original = session_by_id(tx, session_id)
    properties = {name: getattr(original, name) for name in NewSession.__slots__}
    copy, _ = create_session_with_links(tx, NewSession(**properties | {"title": title or original.title}), lifetime_s=lifetime_s)
    session_types_store.copy(tx, session_id, copy.id)
    for activity in store.activities_in_order(tx, session_id):
        content = store.contents(tx, [activity.id])[activity.id]
        fields = {name: getattr(activity, name) for name in NewActivity.__slots__ if name != "content"}
        add_activity(tx, copy.id, NewActivity(content=content, **fields))
    return session_by_id(tx, copy.id)


def _require_capacity(tx: WriteTx, session_id: int, *, more: int) -> None:
    require_open(session_by_id(tx, session_id))
    if tx.head(session_id).counts["activities"] + more > MAX_ACTIVITIES:
        raise TooManyActivities
    require_storage(tx.head(session_id))


def content_bytes(activity: Activity, content: Content) -> int:
    """Return the stored bytes of an activity's title and JSON."""
    return text_bytes(activity.title, content.config, content.secret, content.aggregate, content.scopes)


def _changes_version(types: Registry, before: Activity, after: Activity) -> bool:
    """Return whether other schemas check the answers; an unrecorded version is the oldest one."""
    if before.type_version == after.type_version:
        return False
    old, new = (types.find_version(each.type, each.type_version) for each in (before, after))
    return old is not new


def _require_no_responses(
    tx: WriteTx, before_after: tuple[Activity, Activity], contents: tuple[Content, Content], frozen: set[str], *, force: bool
) -> None:
    """Raise `ResponsesExist` if a change of `frozen` or other binding fields follows answers."""
    before, after = before_after
    frozen = frozen | weakened_settings(before, after)
    frozen |= {name for name in FROZEN_FIELDS if getattr(before, name) != getattr(after, name)}
    if not force:
        frozen |= {name for name in ("config", "secret") if getattr(contents[0], name) != getattr(contents[1], name)}
    if frozen and has_binding_settings(before, count_responses(store.counts_by_round(tx, before.id))):
        raise ResponsesExist(extensions={"fields": sorted(frozen)})
