"""HTTP endpoints of faults of views: pages report them, and hosts read them."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from conflicto.access.roles import HOSTS, MEMBERS
from conflicto.activities.session_types.loader import SessionTypeLoader
from conflicto.activities.view_faults import schemas
from conflicto.activities.view_faults.logged_places import LoggedPlaces
from conflicto.activities.view_faults.model import ViewFaults, place_in
from conflicto.activity_types.registry import Registry
from conflicto.platform.http.messages import NO_STORE, Request, Response, json_response
from conflicto.platform.http.routes import Docs, Route, route
from conflicto.platform.limits.bucket import Policy
from conflicto.platform.problems import FieldError, InvalidInput, NotFound
from conflicto.platform.sizes import KIB
from conflicto.platform.strict_json import JsonLimits
from conflicto.sessions.http import CONTROL

VIEW_FAULTS = Policy("view-faults", 30, 60, shared=True)
"""Rate limit of reports: a page reports each fault once, at most 20."""

FAULT_LIMITS = JsonLimits(max_bytes=2 * KIB, max_depth=4, max_nodes=20)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ViewFaultEndpoints:
    """Endpoints of the faults of views of a session."""

    types: Registry
    loader: SessionTypeLoader
    faults: ViewFaults
    logged: LoggedPlaces

    async def report(self, request: Request, session_id: int, body: schemas.ViewFaultIn) -> Response:
        """Note that a page could not draw a view; the log gets each place once an hour."""
        await self.loader.load(body.type, body.version)
        known = self.types.find_version(body.type, body.version)
        if known is None:
            raise NotFound
        if body.view not in known.ui:
            views = ", ".join(known.ui) or "none"
            raise InvalidInput(errors=(FieldError("/view", f"must be a view of {known.name} {known.version}: {views}"),))
        place, caller = place_in(known, body.view, body.error, body.file, body.line), request.caller
        if self.logged.add(place, session_id, caller.subject):
            log.error("view-failed", **place._asdict())
        if not caller.is_host:
            self.faults.add(session_id, place, body.message, caller.subject)
        return Response(204, headers=(NO_STORE,))

    async def page(self, request: Request, session_id: int) -> Response:
        """List the faults of views that phones and screens reported to this server."""
        items = [schemas.view_fault_out(fault) for fault in self.faults.of_session(session_id)]
        return json_response({"items": items}, headers=(NO_STORE,))


def routes(endpoints: ViewFaultEndpoints) -> list[Route]:
    """Return the routes of this module."""
    path = "/sessions/{session_id:int}/view-faults"
    return [
        route("POST", path, endpoints.report, roles=MEMBERS, policy=VIEW_FAULTS, body=FAULT_LIMITS, tag="activity types",
              shows_presence=False,
              docs=Docs(summary="Report the fault of a view", responses={204: None}, problems=(NotFound,))),
        route("GET", path, endpoints.page, roles=HOSTS, policy=CONTROL, tag="activity types",
              docs=Docs(summary="List the faults of views", responses={200: schemas.ViewFaultsOut})),
    ]  # fmt: skip
