"""Frames that many readers are told alike, bounded in bytes."""

import pytest

from conflicto.feed import frames
from conflicto.feed.frames import Frames, Told


def test_what_finds_no_room_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MAX_FRAMES_BYTES", 10)
    kept = Frames()
    kept.put("small", Told(b"x" * 6, 1, True))
    kept.put("large", Told(b"x" * 6, 1, True))

    assert (kept.get("small") is None, kept.get("large"), kept.bytes) == (False, None, 6)
    kept.clear()
    assert (kept.get("small"), kept.bytes) == (None, 0)
