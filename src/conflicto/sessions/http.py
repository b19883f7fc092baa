"""Endpoints of sessions, and the lookup of join codes.

`routes` lists them in the order of the contract.
"""

from __future__ import annotations

from dataclasses import dataclass

from conflicto.access.roles import ADMIN, HOSTS, MEMBERS, Role
from conflicto.platform.db.engine import Database
from conflicto.platform.db.writer import Writer
from conflicto.platform.http.conditional_requests import (
    ConditionInvalid,
    conditional_response,
    etag_of,
    required_revisions,
    revision_etag,
)
from conflicto.platform.http.messages import NO_STORE, Request, Response, encode, json_response
from conflicto.platform.http.paging import after_key, page_response
from conflicto.platform.http.routes import Docs, Route, route
from conflicto.platform.limits.bucket import Policy
from conflicto.platform.problems import NotFound
from conflicto.platform.strict_json import RESPONSE_LIMITS
from conflicto.sessions import commands, errors, link_http, schemas
from conflicto.sessions.idempotency.store import Key, is_known, key_from
from conflicto.sessions.link_http import LinkTokens
from conflicto.sessions.links import create_session_with_links
from conflicto.sessions.model import NewSession, Session
from conflicto.sessions.queries import audit_page, session_by_id, session_page

CONTROL = Policy("control", 600, 60, shared=True)
"""Ten requests a second for a minute: more than a host's hands, less than a runaway script."""


@dataclass(frozen=True, slots=True)
class SessionEndpoints:
    """Sessions as objects: create, list, read, change."""

    db: Database
    writer: Writer
    tokens: LinkTokens

    async def create(self, request: Request, body: schemas.SessionIn) -> Response:
        """Create a draft and return its tokens."""
        new = NewSession(**body.fields())
        session, status = await self.writer.run(
            (), create_session_with_links, new, key=_key(request), lifetime_s=self.tokens.tokens.max_lifetime_s
        )
        return await created_session(self.tokens, session, status)

    async def repeats(self, request: Request) -> bool:
        """Return whether a session was created with the request's key before."""
        return await self.db.read(is_known, _key(request))

    async def page(self, request: Request, query: schemas.SessionListQuery) -> Response:
        """List sessions, newest first."""
        after = after_key(request, query, int, int)
        found, total = await self.db.lists.read(
            session_page, status=query.status, limit=query.limit, offset=query.offset, after=after
        )
        return page_response(
            request, query, found, total, show=lambda session: schemas.session_out(session, Role.ADMIN, self.tokens.link_keys),
            key=lambda session: (session.created_ts, session.id),
        )  # fmt: skip

    async def read(self, request: Request, session_id: int) -> Response:
        """Return the caller's view of a session."""
        return _session_response(request, await self.db.read(session_by_id, session_id), self.tokens)

    async def replace(self, request: Request, session_id: int, body: schemas.SessionIn) -> Response:
        """Replace the properties of the session, except its status."""
        return await self._change(request, session_id, body.fields())

    async def patch(self, request: Request, session_id: int, body: schemas.SessionPatch) -> Response:
        """Replace the given fields; `status` changes the lifecycle."""
        return await self._change(request, session_id, body.fields())

    async def _change(self, request: Request, session_id: int, fields: dict[str, object]) -> Response:
        revisions = required_revisions(request)
        actor = request.caller.subject
        session = await self.writer.run(session_id, commands.change_session, session_id, fields, actor=actor, revisions=revisions)
        return _session_response(request, session, self.tokens)


@dataclass(frozen=True, slots=True)
class SessionActionEndpoints:
    """Actions on sessions: lock, new code, overlay; and the audit."""

    db: Database
    writer: Writer
    tokens: LinkTokens

    async def transitions(self, request: Request, session_id: int, query: schemas.AuditQuery) -> Response:
        """List all transitions with actor, time and reason, oldest first."""
        (after,) = after_key(request, query, int) or (query.offset,)
        found, total = await self.db.lists.read(audit_page, session_id, limit=query.limit, after=after)
        return page_response(request, query, found, total, show=schemas.transition_out, key=lambda line: (line.number,))

    async def lock(self, request: Request, session_id: int, body: schemas.LockIn | None = None) -> Response:
        """Lock or unlock joining."""
        locked = body.locked if body else True
        return _session_response(
            request, await self.writer.run(session_id, commands.set_locked, session_id, locked=locked), self.tokens
        )

    async def renew_code(self, request: Request, session_id: int) -> Response:
        """Replace the join code."""
        session = await self.writer.run(session_id, commands.replace_join_code, session_id, actor=request.caller.subject)
        return _session_response(request, session, self.tokens)

    async def set_overlay(self, request: Request, session_id: int, body: schemas.OverlayIn) -> Response:
        """Set or remove the screen's overlay."""
        return _session_response(
            request, await self.writer.run(session_id, commands.set_overlay, session_id, body.overlay), self.tokens
        )


def _key(request: Request) -> Key | None:
    return key_from(request.header(b"idempotency-key"), subject=request.caller.subject, route=request.route.name, body=request.body)


async def created_session(tokens: LinkTokens, session: Session, status: int = 201) -> Response:
    """Return the response for a created session, with the tokens of its first links."""
    body = schemas.session_out(session, Role.HOST, tokens.link_keys) | await tokens.first_tokens(session)
    location = (b"location", f"/api/v1/sessions/{session.id}".encode())
    return json_response(body, status=status, headers=(NO_STORE, location, revision_etag(session.revision)))


def session_response(request: Request, session: Session, tokens: LinkTokens) -> Response:
    """Return a session as the caller sees it, with the tag for `If-Match`."""
    return _session_response(request, session, tokens)


def _session_response(request: Request, session: Session, tokens: LinkTokens) -> Response:
    body = encode(schemas.session_out(session, request.caller.role, tokens.link_keys))
    tag = revision_etag(session.revision)[1] if request.caller.is_host else etag_of(body)
    return conditional_response(request, body, tag)


def routes(sessions: SessionEndpoints, actions: SessionActionEndpoints) -> list[Route]:
    """Return the routes of this package.

    `activities` deletes sessions, as the receipt counts their activities and responses.
    """
    revision_problems = (ConditionInvalid, errors.RevisionStale)
    completed_problems = (errors.SessionCompleted,)
    session = {200: schemas.SessionOut}
    return [
        route("POST", "/sessions", sessions.create, roles=ADMIN, policy=CONTROL, body=RESPONSE_LIMITS, tag="sessions",
              replays=sessions.repeats,
              docs=Docs(summary="Create a session", responses={201: schemas.SessionCreated}, headers=("Idempotency-Key",),
                        problems=(errors.KeyReused, errors.IdempotencyKeyInvalid, NotFound))),
        route("GET", "/sessions", sessions.page, cancels=True, roles=ADMIN, policy=CONTROL, tag="sessions",
              docs=Docs(summary="List sessions, newest first", responses={200: schemas.SessionPage})),
        route("GET", "/sessions/{session_id:int}", sessions.read, cancels=True, roles=MEMBERS, policy=CONTROL, tag="sessions",
              docs=Docs(summary="Read a session", responses={**session, 304: None}, headers=("If-None-Match",))),
        route("PUT", "/sessions/{session_id:int}", sessions.replace, roles=HOSTS, policy=CONTROL, body=RESPONSE_LIMITS, tag="sessions",
              docs=Docs(summary="Replace a session", responses=session, headers=("If-Match",),
                        problems=(*revision_problems, *completed_problems))),
        route("PATCH", "/sessions/{session_id:int}", sessions.patch, roles=HOSTS, policy=CONTROL, body=RESPONSE_LIMITS, tag="sessions",
              docs=Docs(summary="Change a session or its status", responses=session, headers=("If-Match",),
                        problems=(*revision_problems, *completed_problems, errors.TransitionNotAllowed))),
        route("GET", "/sessions/{session_id:int}/transitions", actions.transitions, cancels=True, roles=HOSTS, policy=CONTROL,
              tag="sessions", docs=Docs(summary="List the audit log of a session", responses={200: schemas.TransitionPage})),
        route("POST", "/sessions/{session_id:int}/lock", actions.lock, roles=HOSTS, policy=CONTROL, body=RESPONSE_LIMITS, tag="sessions",
              docs=Docs(summary="Lock or open a session to new participants", responses=session, problems=completed_problems)),
        route("POST", "/sessions/{session_id:int}/join-code", actions.renew_code, roles=HOSTS, policy=CONTROL, tag="sessions",
              docs=Docs(summary="Replace the join code", responses=session, problems=completed_problems)),
        route("POST", "/sessions/{session_id:int}/overlay", actions.set_overlay, roles=HOSTS, policy=CONTROL,
              body=RESPONSE_LIMITS, tag="sessions",
              docs=Docs(summary="Set the overlay of the screen", responses=session, problems=completed_problems)),
        *link_http.routes(link_http.LinkEndpoints(sessions.db, sessions.writer, sessions.tokens), CONTROL),
    ]  # fmt: skip
