"""Commands on a session's links: create, rename, revoke, and replace all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from conflicto.access.errors import OwnerOnly
from conflicto.access.links import MAX_LINKS_PER_SESSION, Link, Scope, may_manage
from conflicto.access.tokens import DEFAULT_MAX_TOKEN_DAYS, LIFETIME_S
from conflicto.platform.ids import random_uuid
from conflicto.platform.instants import S_PER_DAY, US_PER_S
from conflicto.platform.problems import NotFound
from conflicto.sessions import store
from conflicto.sessions.commands import create_session, record_transition, save_revision
from conflicto.sessions.errors import TooManyLinks
from conflicto.sessions.events import LinkChanged
from conflicto.sessions.queries import session_by_id

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from conflicto.access.roles import Caller
    from conflicto.platform.db.transaction import WriteTx
    from conflicto.sessions.idempotency.store import Key
    from conflicto.sessions.model import NewSession, Session

DEFAULT_LIFETIME_S = DEFAULT_MAX_TOKEN_DAYS * S_PER_DAY

PRUNED_AFTER_S = max(LIFETIME_S.values()) + S_PER_DAY
"""Seconds after the end of a link until none of its tokens can be valid, so that its row can go."""

OPERATOR = "admin"
"""Subject of the operator's token."""

FIRST_SCOPES = (Scope.OWNER, Scope.SCREEN)
"""Scopes of the links of a new session."""


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link to create. It lasts until `expires_us`, at most `lifetime_s` seconds."""

    scope: Scope
    name: str = ""
    expires_us: int | None = None
    lifetime_s: int = DEFAULT_LIFETIME_S


def create_links(tx: WriteTx, session_id: int, scopes: Iterable[Scope], *, creator: str, lifetime_s: int) -> list[Link]:
    """Create an unnamed link of each scope."""
    return [_added(tx, session_id, NewLink(scope, lifetime_s=lifetime_s), creator) for scope in scopes]


def create_session_with_links(tx: WriteTx, new: NewSession, *, lifetime_s: int, key: Key | None = None) -> tuple[Session, int]:
    """Create a draft with its first links, and return it with its HTTP status.

    The same key returns the same session in its present state.
    """
    session, status = create_session(tx, new, key=key)
    if session.id in tx.heads and not store.session_links(tx, session.id):
        create_links(tx, session.id, FIRST_SCOPES, creator=OPERATOR, lifetime_s=lifetime_s)
    return session, status


def ensure_first_links(tx: WriteTx, session_id: int, *, creator: str, lifetime_s: int) -> None:
    """Create the missing first links of a session."""
    session_by_id(tx, session_id)
    alive = {link.scope for link in store.session_links(tx, session_id) if is_active(link, tx.now_us)}
    create_links(tx, session_id, [scope for scope in FIRST_SCOPES if scope not in alive], creator=creator, lifetime_s=lifetime_s)


def add_link(tx: WriteTx, session_id: int, new: NewLink, caller: Caller) -> Link:
    """Create a link.

    Raises:
        OwnerOnly: the caller must not create links of this scope.
        TooManyLinks: the session has reached its limit.
    """
    session_by_id(tx, session_id)
    if not may_manage(caller, new.scope):
        raise OwnerOnly
    _require_capacity(tx, session_id)
    link = _added(tx, session_id, new, caller.subject)
    _record(tx, link, caller, "link-made")
    return link


def add_link_offline(tx: WriteTx, session_id: int, new: NewLink) -> Link:
    """Create a link from outside the server, without moving the feed.

    The server finds the link at its first token.

    Raises:
        TooManyLinks: the session has reached its limit.
    """
    _require_capacity(tx, session_id)
    link = _new(tx, session_id, new, OPERATOR, changed_ts=0)
    store.add_link(tx, link)
    return link


def rename_link(tx: WriteTx, session_id: int, link_id: UUID, name: str, caller: Caller) -> Link:
    """Rename a link.

    Raises:
        NotFound: the session has no such link.
        OwnerOnly: the caller must not manage links of this scope.
    """
    link = _managed(tx, session_id, link_id, caller)
    return link if link.name == name else _changed(tx, replace(link, name=name))


def revoke_link(tx: WriteTx, session_id: int, link_id: UUID, caller: Caller) -> None:
    """Revoke a link with all its tokens; an ended link stays unchanged.

    Raises:
        NotFound: the session has no such link.
        OwnerOnly: the caller must not manage links of this scope.
    """
    link = _managed(tx, session_id, link_id, caller)
    if link.revoked_us is None:
        _changed(tx, replace(link, revoked_us=tx.now_us))
        _record(tx, link, caller, "link-revoked")


def replace_links(tx: WriteTx, session_id: int, caller: Caller, *, lifetime_s: int) -> tuple[Link, Link]:
    """Revoke every link that the caller may manage, and return a new host link and screen link.

    For an owner or the operator that includes the owner's link and tokens from before links
    existed.
    """
    session = session_by_id(tx, session_id)
    scopes = (Scope.OWNER if may_manage(caller, Scope.OWNER) else Scope.HOST, Scope.SCREEN)
    if Scope.OWNER in scopes:
        store.remove_links(tx, session_id)
        save_revision(tx, replace(session, token_version=session.token_version + 1))
    else:
        for link in store.session_links(tx, session_id):
            if link.revoked_us is None and may_manage(caller, link.scope):
                _changed(tx, replace(link, revoked_us=tx.now_us))
        _require_capacity(tx, session_id)
    record_transition(tx, session_id, actor=caller.subject, entity="session", entity_id=str(session_id), moved=(None, "tokens-rotated"),
           reason=None)  # fmt: skip
    host, screen = create_links(tx, session_id, scopes, creator=caller.subject, lifetime_s=lifetime_s)
    return host, screen


def is_active(link: Link, now_us: int) -> bool:
    """Return whether tokens of the link are valid."""
    return link.revoked_us is None and link.expires_us > now_us


def _managed(tx: WriteTx, session_id: int, link_id: UUID, caller: Caller) -> Link:
    session_by_id(tx, session_id)
    link = store.find_link(tx, session_id, link_id)
    if link is None:
        raise NotFound
    if not may_manage(caller, link.scope):
        raise OwnerOnly
    return link


def _require_capacity(tx: WriteTx, session_id: int) -> None:
    """Prune old links; raise `TooManyLinks` if the session is at its limit."""
    if len(store.session_links(tx, session_id)) < MAX_LINKS_PER_SESSION:
        return
    store.prune_links(tx, session_id, before_us=tx.now_us - PRUNED_AFTER_S * US_PER_S)
    if len(store.session_links(tx, session_id)) >= MAX_LINKS_PER_SESSION:
        raise TooManyLinks


def _added(tx: WriteTx, session_id: int, new: NewLink, creator: str) -> Link:
    link = _new(tx, session_id, new, creator, changed_ts=_stamp(tx, session_id))
    store.add_link(tx, link)
    tx.emit(LinkChanged(link))
    return link


def _new(tx: WriteTx, session_id: int, new: NewLink, creator: str, *, changed_ts: int) -> Link:
    latest_us = tx.now_us + new.lifetime_s * US_PER_S
    return Link(
        id=random_uuid(), session_id=session_id, scope=new.scope, name=new.name, creator=creator, created_us=tx.now_us,
        expires_us=min(new.expires_us or latest_us, latest_us), revoked_us=None, changed_ts=changed_ts,
    )  # fmt: skip


def _changed(tx: WriteTx, link: Link) -> Link:
    stamped = replace(link, changed_ts=_stamp(tx, link.session_id))
    store.save_link(tx, stamped)
    tx.emit(LinkChanged(stamped))
    return stamped


def _stamp(tx: WriteTx, session_id: int) -> int:
    """Take a timestamp that makes other workers read the links again; phones are not woken."""
    stamp = tx.next_ts(session_id, control=False)
    tx.head(session_id).counts["links_ts"] = stamp
    return stamp


def _record(tx: WriteTx, link: Link, caller: Caller, step: str) -> None:
    record_transition(
        tx, link.session_id, actor=caller.subject, entity="link", entity_id=str(link.id), moved=(None, step), reason=None
    )
