"""Cache of encoded stream events, bounded in bytes."""

import pytest

from conflicto.session_state import event_cache
from conflicto.session_state.event_cache import EventBatch, EventCache


def test_what_finds_no_room_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_cache, "MAX_EVENT_CACHE_BYTES", 10)
    kept = EventCache()
    kept.put("small", EventBatch(b"x" * 6, 1, True))
    kept.put("large", EventBatch(b"x" * 6, 1, True))

    assert (kept.get("small") is None, kept.get("large"), kept.bytes) == (False, None, 6)
    kept.clear()
    assert (kept.get("small"), kept.bytes) == (None, 0)
