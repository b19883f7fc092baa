"""Cache of one view of a session: responses by request target, and tokens that may read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.platform.fast_path.response_cache import ResponseCache

if TYPE_CHECKING:
    from conflicto.platform.fast_path.cached_auth import CachedAuth
    from conflicto.platform.fast_path.cached_response import CachedResponse

MAX_RESPONSES_PER_VIEW = 20_000
"""Largest number of responses in one view. Callers with cursors of their own cause most of them;
`ResponseCache` bounds their bytes."""

NO_PARTICIPANT = 0
"""Participant id of tokens that belong to no seat."""


class ViewCache:
    """Cached responses and cached authentication of one view.

    The fast path reads `responses` on every poll. Only the owner of their source adds and removes
    entries.
    """

    __slots__ = ("_auths", "_data_targets", "is_open", "responses")

    def __init__(self, cache: ResponseCache | None = None) -> None:
        self.responses = (cache or ResponseCache()).new_map()
        self.is_open = True
        self._data_targets: set[bytes] = set()
        self._auths: dict[int, list[CachedAuth]] = {}

    def put(self, target: bytes, response: CachedResponse, *, follows_data: bool) -> None:
        """Cache a response.

        `follows_data`: a change of data invalidates it too, not only one of control.
        """
        if not self.is_open or (len(self.responses) >= MAX_RESPONSES_PER_VIEW and target not in self.responses):
            return
        if self.responses.put(target, response) and follows_data:
            self._data_targets.add(target)

    def clear(self) -> None:
        """Remove every response."""
        self.responses.clear()
        self._data_targets.clear()

    def clear_data(self) -> None:
        """Remove responses that show data, and keep those that only control changes."""
        for target in self._data_targets:
            self.responses.remove(target)
        self._data_targets.clear()

    def add_auth(self, auth: CachedAuth, now_s: float) -> None:
        """Add a token that may read this view, and remove expired ones of the same participant."""
        valid = [earlier for earlier in self._auths.get(auth.participant_id, ()) if earlier.expires_s > now_s]
        self._auths[auth.participant_id] = [*valid, auth]

    def remove_auth(self, auth: CachedAuth) -> None:
        """Remove an invalidated token."""
        others = [each for each in self._auths.get(auth.participant_id, ()) if each is not auth]
        if others:
            self._auths[auth.participant_id] = others
        else:
            self._auths.pop(auth.participant_id, None)

    def revoke(self, participant_id: int | None = None) -> None:
        """Invalidate the tokens of one participant, or all.

        The slow path caches tokens that are still valid again.
        """
        participant_ids = list(self._auths) if participant_id is None else [participant_id]
        for each in participant_ids:
            for auth in self._auths.pop(each, ()):
                auth.invalidate()

    def close(self) -> None:
        """Remove everything and cache nothing more: the source has left memory."""
        self.is_open = False
        self.clear()
        self.revoke()
