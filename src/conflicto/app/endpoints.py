"""List the routes of all packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.access import http as access_http
from conflicto.access.receipts import Receipts
from conflicto.access.roles import ANYONE, HOSTS
from conflicto.activities import http as activities_http
from conflicto.activities import session_http
from conflicto.activities.session_types import http as session_types_http
from conflicto.activities.session_types.loader import SessionTypeLoader
from conflicto.activities.session_types.model import max_bytes
from conflicto.activities.view_faults import http as view_faults_http
from conflicto.activities.view_faults.logged_places import LoggedPlaces
from conflicto.activities.view_faults.model import ViewFaults
from conflicto.activity_types import http as types_http
from conflicto.exports import http as exports_http
from conflicto.feed import http as feed_http
from conflicto.joining import http as joining_http
from conflicto.participants import http as participants_http
from conflicto.rehearsal import http as rehearsal_http
from conflicto.responses import http as responses_http
from conflicto.responses.capacity import ResponseCapacity
from conflicto.results import http as results_http
from conflicto.results.own_participant import OwnParticipant
from conflicto.sessions import http as sessions_http
from conflicto.sessions import link_http

if TYPE_CHECKING:
    from conflicto.app.delivery import Delivery
    from conflicto.app.services import DomainServices, PlatformServices
    from conflicto.platform.http.routes import Route


def build_routes(platform: PlatformServices, domain: DomainServices, delivery: Delivery) -> list[Route]:
    """Return the routes of all domain packages, in the order of the OpenAPI document."""
    db, writer, clock = platform.db, domain.writer, platform.clock
    receipts = Receipts(platform.identity.receipt_key, platform.identity.issuer, clock)
    return [
        *_session_routes(platform, domain, receipts),
        *_participant_routes(platform, domain, receipts),
        *responses_http.routes(
            responses_http.ResponseEndpoints(db, writer, clock, domain.validator, ResponseCapacity(delivery.caps), receipts)
        ),
        *types_http.routes(types_http.TypeEndpoints(domain.types), anyone=ANYONE, hosts=HOSTS),
        *feed_http.routes(
            feed_http.FeedEndpoints(delivery.polls, delivery.long_poll, delivery.streams, domain.authenticator, clock)
        ),
        *results_http.routes(
            results_http.ResultsEndpoints(delivery.results, delivery.leaderboard, delivery.long_poll, delivery.streams),
            OwnParticipant(db, delivery.leaderboard),
        ),
        *rehearsal_http.routes(rehearsal_http.RehearsalEndpoints(domain.rehearsals)),
        *exports_http.routes(exports_http.ExportEndpoints(domain.exports, clock, delivery.prefix)),
        *access_http.routes(access_http.KeyEndpoints(db, clock)),
    ]


def _session_routes(platform: PlatformServices, domain: DomainServices, receipts: Receipts) -> list[Route]:
    db, writer = platform.db, domain.writer
    links, loader = link_http.LinkTokens(db, writer, domain.tokens, platform.clock), SessionTypeLoader(db, domain.types)
    return [
        *sessions_http.routes(
            sessions_http.SessionEndpoints(db, writer, links), sessions_http.SessionActionEndpoints(db, writer, links)
        ),
        *session_http.routes(session_http.SessionDeletion(writer, receipts)),
        *activities_http.routes(
            activities_http.ActivityEndpoints(db, writer, domain.types, receipts, loader),
            activities_http.ActivityControls(db, writer, links),
        ),
        *session_types_http.routes(
            session_types_http.SessionTypeEndpoints(db, writer, domain.types, max_bytes(platform.settings.session_types_mb))
        ),
        *view_faults_http.routes(
            view_faults_http.ViewFaultEndpoints(domain.types, loader, ViewFaults(platform.clock), LoggedPlaces(platform.clock))
        ),
    ]


def _participant_routes(platform: PlatformServices, domain: DomainServices, receipts: Receipts) -> list[Route]:
    db, writer, clock, days = platform.db, domain.writer, platform.clock, platform.settings.retention_days
    return [
        *joining_http.routes(
            joining_http.JoinEndpoints(db, writer, domain.tokens, domain.code_guard, clock, domain.join_codes, days),
            joining_http.ParticipantList(db, domain.sessions, domain.presence),
        ),
        *participants_http.routes(participants_http.SeatEndpoints(db, writer, clock, receipts)),
    ]
