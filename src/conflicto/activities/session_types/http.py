"""Endpoints of types for one session, for its hosts."""

from __future__ import annotations

import asyncio
import binascii
from base64 import b64decode
from dataclasses import dataclass, field
from hashlib import sha256

import structlog

from conflicto.access.roles import HOSTS
from conflicto.activities.session_types import commands, errors, schemas, store
from conflicto.activities.session_types.checking import checked_pack
from conflicto.activities.session_types.model import MAX_PACK_BYTES, version_of
from conflicto.activity_types.registry import Registry
from conflicto.platform.db.engine import Database
from conflicto.platform.db.writer import Writer
from conflicto.platform.http.messages import NO_STORE, Request, Response, json_response
from conflicto.platform.http.routes import Docs, Route, route
from conflicto.platform.limits.bucket import Policy
from conflicto.platform.problems import FieldError, InvalidInput, NotFound
from conflicto.platform.sizes import KIB
from conflicto.platform.strict_json import JsonLimits
from conflicto.sessions.errors import SessionCompleted
from conflicto.sessions.http import CONTROL

PACKS = Policy("session-types", 20, 60, shared=True)
"""Rate limit of packs: each takes a second of a core or more."""

_BASE64_BYTES = MAX_PACK_BYTES * 4 // 3 + 4 * KIB
PACK_LIMITS = JsonLimits(max_bytes=_BASE64_BYTES + KIB, max_nodes=100, max_string_bytes=_BASE64_BYTES)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SessionTypeEndpoints:
    """Endpoints that check, install, list and remove types. `max_bytes` is 0 where none may be."""

    db: Database
    writer: Writer
    types: Registry
    max_bytes: int
    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    """Checks run one after the other."""

    async def install(self, request: Request, session_id: int, body: schemas.PackIn) -> Response:
        """Check a pack and, if its digest confirms it, install its type for this session."""
        if not self.max_bytes:
            raise errors.SessionTypesOff
        archive = _decoded(body.pack)
        digest = sha256(archive).hexdigest()
        if body.sha256 not in {None, digest}:
            raise errors.PackNotConfirmed(extensions={"sha256": digest})
        summary = await checked_pack(archive, self.turn)
        self._require_free(summary.name)
        if body.sha256 is not None:
            added = await self.writer.run(
                session_id, commands.install_type, session_id, summary.name, summary.own_version, (digest, archive),
                max_bytes=self.max_bytes,
            )  # fmt: skip
            log.info("session-type-installed", session_id=session_id, type=added.name, sha256=digest)
        pack = {"sha256": digest, "type_version": version_of(digest), "size_bytes": len(archive)}
        shown = schemas.checked_pack_out(summary, pack, is_installed=body.sha256 is not None)
        return json_response(shown, status=201 if body.sha256 else 200, headers=(NO_STORE,))

    async def page(self, request: Request, session_id: int) -> Response:
        """List the types of this session."""
        found = await self.db.read(store.of_session, session_id)
        return json_response({"items": [schemas.session_type_out(each) for each in found]}, headers=(NO_STORE,))

    async def remove(self, request: Request, session_id: int) -> Response:
        """Remove a type that no activity of this session has."""
        await self.writer.run(session_id, commands.remove_type, session_id, request.params["type"])
        return Response(204, headers=(NO_STORE,))

    def _require_free(self, name: str) -> None:
        if self.types.find(name) is not None or self.types.is_missing(name):
            detail = f"This server has a type with the name {name}. Give yours another name, and pack it again."
            raise errors.SessionTypeClash(detail)


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput(errors=(FieldError("/pack", "must be a file in Base64"),)) from None


def routes(endpoints: SessionTypeEndpoints) -> list[Route]:
    """Return the routes of this module."""
    path = "/sessions/{session_id:int}/activity-types"
    problems = (
        errors.SessionTypesOff, errors.PackRejected, errors.PackNotConfirmed, errors.SessionTypeClash, errors.SessionTypesFull,
        SessionCompleted,
    )  # fmt: skip
    return [
        route("POST", path, endpoints.install, roles=HOSTS, policy=PACKS, body=PACK_LIMITS, tag="activity types",
              docs=Docs(summary="Check or install a type for one session",
                        responses={200: schemas.CheckedPackOut, 201: schemas.CheckedPackOut}, problems=problems)),
        route("GET", path, endpoints.page, roles=HOSTS, policy=CONTROL, tag="activity types",
              docs=Docs(summary="List the types of one session", responses={200: schemas.SessionTypesOut})),
        route("DELETE", path + "/{type:name}", endpoints.remove, roles=HOSTS, policy=CONTROL, tag="activity types",
              docs=Docs(summary="Remove a type of one session", responses={204: None},
                        problems=(NotFound, errors.SessionTypeInUse))),
    ]  # fmt: skip
