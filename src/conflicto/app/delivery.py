"""Build the handlers that read session state: polls, results, long-polls and streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from conflicto.feed.long_poll import LongPoll
from conflicto.feed.poll_handler import PollHandler
from conflicto.feed.response_builder import ResponseBuilder
from conflicto.feed.shared_pages import SharedPages
from conflicto.feed.streams import StreamRegistry
from conflicto.platform.shared_cache import SharedCache
from conflicto.responses.capacity import Caps
from conflicto.results.leaderboard_handler import LeaderboardHandler
from conflicto.results.results_handler import ResultsHandler

if TYPE_CHECKING:
    from conflicto.app.services import DomainServices, PlatformServices
    from conflicto.platform.http.server.connection_manager import ConnectionManager


class Delivery(NamedTuple):
    """Handlers that read session state. `prefix` is the path below which the server is reached."""

    caps: Caps
    polls: PollHandler
    results: ResultsHandler
    leaderboard: LeaderboardHandler
    long_poll: LongPoll
    streams: StreamRegistry
    prefix: str


def build_delivery(platform: PlatformServices, domain: DomainServices, connections: ConnectionManager) -> Delivery:
    """Return the handlers that read session state."""
    settings, db, clock, sessions = platform.settings, platform.db, platform.clock, domain.sessions
    caps = Caps(settings.max_responses, settings.max_responses_per_participant, settings.max_session_bytes)
    builder = ResponseBuilder(clock, platform.metrics, connections.load_average, connections.prefix)
    polls = PollHandler(db, clock, builder, SharedPages(_shared_cache(platform)), caps, domain.tokens.link_keys)
    results = ResultsHandler(db, domain.segments, sessions, polls, builder, clock)
    return Delivery(
        caps=caps,
        polls=polls,
        results=results,
        leaderboard=LeaderboardHandler(db, sessions, polls, results, builder),
        long_poll=LongPoll(sessions, platform.metrics),
        streams=StreamRegistry(sessions, polls, clock),
        prefix=connections.prefix.decode(),
    )


def _shared_cache(platform: PlatformServices) -> SharedCache | None:
    if platform.redis is None:
        return None
    prefix, identity = f"conflicto:{platform.identity.epoch}:pages:", platform.identity
    return SharedCache(platform.redis.data, prefix, identity.signing_key, platform.settings.redis_cache_ttl, platform.clock)
