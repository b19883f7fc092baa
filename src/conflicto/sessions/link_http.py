"""Endpoints of links and of their tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from conflicto.access.errors import OwnerOnly
from conflicto.access.link_keys import LinkKeys
from conflicto.access.links import Scope, legacy_link_id
from conflicto.access.roles import HOSTS
from conflicto.access.tokens import Tokens
from conflicto.platform.clock import Clock
from conflicto.platform.db.engine import Database
from conflicto.platform.db.writer import Writer
from conflicto.platform.http.messages import NO_STORE, Request, Response, json_response
from conflicto.platform.http.paging import PageQuery, after_key, page_response
from conflicto.platform.http.routes import Docs, Route, route
from conflicto.platform.instants import US_PER_S, parse_rfc3339
from conflicto.platform.limits.bucket import Policy
from conflicto.platform.problems import FieldError, InvalidInput, NotFound
from conflicto.platform.strict_json import RESPONSE_LIMITS
from conflicto.sessions import link_schemas, schemas
from conflicto.sessions.errors import TooManyLinks
from conflicto.sessions.links import (
    OPERATOR,
    NewLink,
    add_link,
    ensure_first_links,
    is_active,
    rename_link,
    replace_links,
    revoke_link,
)
from conflicto.sessions.queries import session_by_id, session_links

if TYPE_CHECKING:
    from conflicto.access.links import Link
    from conflicto.sessions.model import Session


FIRST_SCOPES = frozenset({Scope.OWNER, Scope.SCREEN})
"""Scopes of the tokens of a new session."""


@dataclass(frozen=True, slots=True)
class LinkTokens:
    """Tokens of links, created on request and never stored."""

    db: Database
    writer: Writer
    tokens: Tokens
    clock: Clock

    @property
    def link_keys(self) -> LinkKeys:
        """Link keys, which let people join."""
        return self.tokens.link_keys

    def token(self, link: Link, version: int) -> str:
        """Return a fresh token of a link; `version` is the session's."""
        return self.tokens.mint(link.role, link.session_id, version=version, link=link.id, end_s=link.expires_us // US_PER_S)

    async def first_tokens(self, session: Session) -> dict[str, str]:
        """Return tokens of the session's oldest owner and screen links, for its creator.

        Creates missing links.
        """
        found = await self._oldest(session.id)
        if found.keys() != FIRST_SCOPES:
            await self.writer.run(
                session.id, ensure_first_links, session.id, creator=OPERATOR, lifetime_s=self.tokens.max_lifetime_s
            )  # fmt: skip
            found = await self._oldest(session.id)
        return self.pair((found[Scope.OWNER], found[Scope.SCREEN]), session.token_version)

    def pair(self, links: tuple[Link, Link], version: int) -> dict[str, str]:
        """Return the tokens of a host's and a screen's link."""
        host, screen = links
        return {"host_token": self.token(host, version), "screen_token": self.token(screen, version), "server": self.tokens.issuer}

    async def _oldest(self, session_id: int) -> dict[Scope, Link]:
        now_us = self.clock.wall_us()
        alive = [link for link in await self.db.read(session_links, session_id) if is_active(link, now_us)]
        first_links = [link for link in alive if link.scope in FIRST_SCOPES and link.id != legacy_link_id(link.role, session_id)]
        return {link.scope: link for link in sorted(first_links, key=lambda link: link.created_us, reverse=True)}


@dataclass(frozen=True, slots=True)
class LinkEndpoints:
    """Links as objects: list, create, rename, revoke, replace."""

    db: Database
    writer: Writer
    tokens: LinkTokens

    async def page(self, request: Request, session_id: int, query: PageQuery) -> Response:
        """List the links of the session, including ended ones."""
        found = await self.db.read(session_links, session_id)
        after = after_key(request, query, int, str)
        left = found if after is None else [link for link in found if _place(link) > after]
        part = left[query.offset : query.offset + query.limit + 1]
        return page_response(
            request, query, part, len(found), show=lambda link: link_schemas.link_out(link, request.caller), key=_place
        )

    async def create(self, request: Request, session_id: int, body: link_schemas.LinkIn) -> Response:
        """Create a link and return it with its token."""
        expires_us = None if body.expires_at is None else parse_rfc3339(body.expires_at)
        if expires_us is not None and expires_us <= self.tokens.clock.wall_us():
            raise InvalidInput(errors=(FieldError("/expires_at", "must lie in the future"),))
        link, token = await self._create(request, session_id, NewLink(body.scope, body.name, expires_us, self._lifetime_s))
        return json_response(link_schemas.link_out(link, request.caller) | {"token": token}, status=201)

    async def issue_token(self, request: Request, session_id: int, body: link_schemas.TokenIn) -> Response:
        """Create an unnamed link and return its token."""
        link, token = await self._create(request, session_id, NewLink(Scope(body.role), lifetime_s=self._lifetime_s))
        return json_response({"role": body.role, "token": token, "link_id": link.id}, status=201)

    async def rename(self, request: Request, session_id: int, link_id: UUID, body: link_schemas.LinkPatch) -> Response:
        """Rename a link."""
        link = await self.writer.run(session_id, rename_link, session_id, link_id, body.name, request.caller)
        return json_response(link_schemas.link_out(link, request.caller))

    async def revoke(self, request: Request, session_id: int, link_id: UUID) -> Response:
        """Revoke a link with all its tokens, at once."""
        await self.writer.run(session_id, revoke_link, session_id, link_id, request.caller)
        return Response(204, headers=(NO_STORE,))

    async def replace(self, request: Request, session_id: int) -> Response:
        """Revoke every link that the caller may manage, and return tokens of new ones."""
        links = await self.writer.run(session_id, replace_links, session_id, request.caller, lifetime_s=self._lifetime_s)
        session = await self.db.read(session_by_id, session_id)
        return json_response(self.tokens.pair(links, session.token_version))

    @property
    def _lifetime_s(self) -> int:
        return self.tokens.tokens.max_lifetime_s

    async def _create(self, request: Request, session_id: int, new: NewLink) -> tuple[Link, str]:
        link: Link = await self.writer.run(session_id, add_link, session_id, new, request.caller)
        session = await self.db.read(session_by_id, session_id)
        return link, self.tokens.token(link, session.token_version)


def _place(link: Link) -> tuple[int, str]:
    return link.changed_ts, link.id.hex


def routes(links: LinkEndpoints, policy: Policy) -> list[Route]:
    """Return the routes of links."""
    collection, link = "/sessions/{session_id:int}/links", "/sessions/{session_id:int}/links/{link_id:uuid}"
    create_problems = (OwnerOnly, TooManyLinks)
    return [
        route("GET", collection, links.page, cancels=True, roles=HOSTS, policy=policy, tag="links",
              docs=Docs(summary="List the links of a session", responses={200: link_schemas.LinkPage})),
        route("POST", collection, links.create, roles=HOSTS, policy=policy, body=RESPONSE_LIMITS, tag="links",
              docs=Docs(summary="Create a link", responses={201: link_schemas.LinkCreated}, problems=create_problems)),
        route("PATCH", link, links.rename, roles=HOSTS, policy=policy, body=RESPONSE_LIMITS, tag="links",
              docs=Docs(summary="Rename a link", responses={200: link_schemas.LinkOut}, problems=(OwnerOnly, NotFound))),
        route("DELETE", link, links.revoke, roles=HOSTS, policy=policy, tag="links",
              docs=Docs(summary="Revoke a link and its tokens", responses={204: None}, problems=(OwnerOnly, NotFound))),
        route("POST", "/sessions/{session_id:int}/tokens", links.issue_token, roles=HOSTS, policy=policy, body=RESPONSE_LIMITS, tag="links",
              docs=Docs(summary="Create another host or screen token", responses={201: link_schemas.TokenOut}, problems=create_problems)),
        route("DELETE", "/sessions/{session_id:int}/tokens", links.replace, roles=HOSTS, policy=policy, tag="links",
              docs=Docs(summary="Replace all links that the caller may revoke", responses={200: schemas.TokenPair},
                        problems=(TooManyLinks,))),
    ]  # fmt: skip
