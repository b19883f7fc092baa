from typing import Any

from conflicto.platform.fast_path.cached_auth import CachedAuth
from conflicto.platform.fast_path.cached_response import FULL, NOT_MODIFIED, CachedResponse, Freshness, VisibleTo
from conflicto.platform.fast_path.view_cache import ViewCache
from conflicto.platform.limits.bucket import Policy
from conflicto.platform.limits.memory import MemoryLimiter
from conflicto.platform.metrics.registry import FastPathMetrics, Histogram
from tests.support.clocks import HandClock

POLICY = Policy("poll", 600, 60)


class FakeCaller:
    def __init__(self, participant_id: int | None) -> None:
        self.participant_id = participant_id
        self.subject = str(participant_id)


def cached_response(body: bytes = b"{}", **freshness: Any) -> CachedResponse:
    return CachedResponse(
        body,
        ((b"etag", b'W/"a"'),),
        tag=b'W/"a"',
        policy=POLICY,
        tally=FastPathMetrics(Histogram(())),
        freshness=Freshness(**freshness),
    )


def auth_of(view_cache: ViewCache, participant_id: int | None, now_s: float = 1000.0) -> CachedAuth:
    return CachedAuth(FakeCaller(participant_id), view_cache, now_s=now_s, lifetime_s=1e9, limiter=MemoryLimiter(HandClock()))


def test_clear_removes_all_and_clear_data_removes_what_follows_data() -> None:
    view_cache = ViewCache()
    for target, follows in ((b"/status", False), (b"/since", True)):
        view_cache.put(target, cached_response(), follows_data=follows)
    view_cache.clear_data()
    assert set(view_cache.responses) == {b"/status"}
    view_cache.clear()
    assert view_cache.responses == {}


def test_a_closed_view_cache_stores_nothing_and_invalidates_every_auth() -> None:
    view_cache = ViewCache()
    auths = [auth_of(view_cache, 1), auth_of(view_cache, 2), auth_of(view_cache, None)]
    view_cache.close()
    view_cache.put(b"/status", cached_response(), follows_data=False)
    assert view_cache.responses == {}
    assert [each.expires_s for each in auths] == [0.0] * 3


def test_revoke_invalidates_one_participant_and_expired_auths_are_removed() -> None:
    view_cache = ViewCache()
    old, new, other = auth_of(view_cache, 1, now_s=0.0), auth_of(view_cache, 1, now_s=1000.0), auth_of(view_cache, 2)
    assert view_cache._auths[1] == [new]
    view_cache.revoke(1)
    assert (new.expires_s, other.expires_s > 0, old.expires_s > 0) == (0.0, True, True)


def test_cached_auth_expires_with_its_token_and_after_five_minutes_at_most() -> None:
    view_cache, limiter = ViewCache(), MemoryLimiter(HandClock())
    short = CachedAuth(FakeCaller(1), view_cache, now_s=100.0, lifetime_s=7, limiter=limiter)
    long = CachedAuth(FakeCaller(1), view_cache, now_s=100.0, lifetime_s=1e9, limiter=limiter)
    assert (short.expires_s, long.expires_s) == (107.0, 400.0)


def test_an_evicted_bucket_is_looked_up_again() -> None:
    one = auth_of(ViewCache(), 1)
    bucket = one.bucket(POLICY)
    assert one.bucket(POLICY) is bucket
    one._limiter._evict(1e12)
    assert (bucket.take(0.0), one.bucket(POLICY) is bucket) == (False, False)


def test_visible_to_includes_by_the_newest_change_of_the_participant() -> None:
    visible_to = VisibleTo({1: 5, 2: 9}, min_ts=0, max_ts=7, default_ts=8)
    assert [visible_to.includes(participant_id) for participant_id in (1, 2, 3)] == [True, False, False]
    assert VisibleTo({1: 5}, min_ts=5, max_ts=5, default_ts=0).includes(1)
    assert not VisibleTo({1: 4}, min_ts=5, max_ts=5, default_ts=0).includes(1)


def test_a_message_is_built_once_for_each_date_line_in_one_piece() -> None:
    response = cached_response(b'{"a":1}')
    monday, tuesday = b"date: Mon\r\n", b"date: Tue\r\n"
    full = response.to_bytes(FULL, monday)
    assert full == (
        b'HTTP/1.1 200 OK\r\ndate: Mon\r\ncontent-type: application/json\r\netag: W/"a"\r\nx-content-type-options: nosniff\r\n'
        b'referrer-policy: no-referrer\r\ncontent-length: 7\r\n\r\n{"a":1}'
    )
    assert response.to_bytes(FULL, monday) is full
    assert response.to_bytes(FULL, tuesday) == full.replace(b"Mon", b"Tue")
    assert response.to_bytes(NOT_MODIFIED, monday).startswith(b"HTTP/1.1 304 Not Modified\r\ndate: Mon\r\netag: ")
    assert response.to_bytes(NOT_MODIFIED, monday).endswith(
        b"referrer: no-referrer\r\n\r\n".replace(b"referrer:", b"referrer-policy:")
    )
