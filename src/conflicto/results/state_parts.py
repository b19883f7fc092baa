"""Parts of a session's state that responses and results contribute."""

from __future__ import annotations

from conflicto.responses.recent_responses import RecentResponses
from conflicto.results.leaderboard import LeaderboardCache
from conflicto.results.tally_cache import TallyCache
from conflicto.session_state.state import StateParts

STATE_PARTS = StateParts((RecentResponses, TallyCache, LeaderboardCache))
