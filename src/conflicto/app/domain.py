"""Build the services of sessions, activities, participants, responses and what follows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.access.code_guard import CodeGuard, share_of_server_policy
from conflicto.access.identity import build_tokens
from conflicto.access.tickets import UsedTickets
from conflicto.access.used_codes import LIFETIME_S, UsedCodes
from conflicto.activities import store as activities_store
from conflicto.activities.expiry import ExpiryTimer
from conflicto.activities.queries import stored_versions
from conflicto.activities.session_types import store as session_types_store
from conflicto.activities.session_types.model import is_session_version
from conflicto.activity_types.packs.index import packed_types
from conflicto.activity_types.registry import UNRECORDED, load_registry
from conflicto.app.services import DomainServices
from conflicto.exports.service import Exports
from conflicto.participants import store as participants_store
from conflicto.platform.db.group import GroupRunner
from conflicto.platform.db.writer import Writer
from conflicto.platform.limits.shared_flags import SharedFlags
from conflicto.platform.peers.commits import CommitCodec
from conflicto.platform.peers.peers import Peers
from conflicto.rehearsal.manager import Rehearsals
from conflicto.rehearsal.simulation import Context
from conflicto.responses import store as responses_store
from conflicto.responses.release_timer import ReleaseTimer
from conflicto.responses.validation import ResponseValidator
from conflicto.results import store as results_store
from conflicto.results.segment_service import SegmentService
from conflicto.results.state_parts import STATE_PARTS
from conflicto.session_state.authentication import TokenAuthenticator
from conflicto.session_state.join_code_cache import JoinCodeCache
from conflicto.session_state.presence import Presence
from conflicto.session_state.presence_saver import PresenceSaver
from conflicto.session_state.worker_sync import WorkerSync
from conflicto.sessions.feed_heads.store import FeedHeads
from conflicto.sessions.purge import Purger
from conflicto.sessions.retention import Retention

if TYPE_CHECKING:
    from conflicto.access.tokens import Tokens
    from conflicto.activity_types.registry import Registry
    from conflicto.app.services import PlatformServices
    from conflicto.platform.db.epochs import EpochGuard
    from conflicto.session_state.session_cache import SessionCache

PURGE_STEPS = {
    "tally_segments": results_store.purge, "responses": responses_store.purge, "participants": participants_store.purge,
    "activities": activities_store.purge, "session_types": session_types_store.purge,
}  # fmt: skip
"""Removal of a deleted session's rows, by table."""


def build_domain(platform: PlatformServices, sessions: SessionCache, epoch_guard: EpochGuard | None) -> DomainServices:
    """Return the domain services on top of those of the platform."""
    settings, clock, db, issuer = platform.settings, platform.clock, platform.db, platform.identity.issuer
    redis = platform.redis.data if platform.redis else None
    runner = GroupRunner(db, FeedHeads(settings.max_session_bytes), clock, platform.bus.in_transaction, epoch_guard)
    writer = Writer(runner, clock, caller_s=db.timeouts.caller_s, on_commit=platform.bus.publish)
    presence, types = Presence(clock, sessions), _load_types(platform)
    tokens = build_tokens(db, platform.identity, clock, max_days=settings.max_token_days, budget=platform.budget)
    tickets = UsedTickets(clock, redis, issuer, platform.budget)
    validator = ResponseValidator(db, types, sessions, platform.budget)
    return DomainServices(
        sessions=sessions, join_codes=JoinCodeCache(db, sessions), writer=writer, presence=presence, types=types, tokens=tokens,
        validator=validator, presence_saver=PresenceSaver(presence, writer),
        worker_sync=WorkerSync(sessions, writer, redis, issuer),
        peers=_build_peers(platform, writer, sessions),
        authenticator=TokenAuthenticator(
            tokens, platform.identity.admin_hash, sessions, tickets, metrics_token=settings.secret("metrics_token")
        ),
        code_guard=_build_code_guard(platform, tokens),
        segments=SegmentService(db, writer),
        expiry=ExpiryTimer(db, writer, clock),
        releases=ReleaseTimer(db, writer, clock),
        purger=Purger(db, writer, PURGE_STEPS),
        retention=Retention(db, writer, clock, days=settings.retention_days, draft_days=settings.draft_retention_days),
        exports=Exports(db, types, settings.exports_path, clock),
        rehearsals=Rehearsals(Context(db, writer, clock, presence, types, sessions, validator)),
    )  # fmt: skip


def _build_peers(platform: PlatformServices, writer: Writer, sessions: SessionCache) -> Peers | None:
    folder, codec = platform.settings.workers_dir, CommitCodec(STATE_PARTS.handlers, STATE_PARTS.event_fields)
    return (
        None if folder is None else Peers(folder, writer, platform.clock, codec, sessions.apply_of_peer, platform.identity.issuer)
    )


def _load_types(platform: PlatformServices) -> Registry:
    """Return the activity types, with the names of those that stored activities miss."""
    types = load_registry(platform.settings.activity_types, packed_types(platform.settings.packs_path))
    known = [each.name for each in types.all()]
    missing = platform.db.query(stored_versions, without=known)
    return types.with_recorded(each.type for each in missing if each.version != UNRECORDED and not is_session_version(each.version))


def _build_code_guard(platform: PlatformServices, tokens: Tokens) -> CodeGuard:
    codes = UsedCodes(platform.clock, platform.budget), tokens.link_keys
    if platform.redis is None or not platform.settings.rate_limits:
        share = share_of_server_policy(platform.settings.workers)
        return CodeGuard(platform.limiter, SharedFlags(None, "", LIFETIME_S), *codes, share)
    flags = SharedFlags(platform.redis.limits, f"conflicto:{platform.identity.issuer}:hits:", LIFETIME_S)
    return CodeGuard(platform.limiter, flags, *codes)
