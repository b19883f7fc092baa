from typing import Any

import pytest

from conflicto.platform.cache_budget import CacheBudget
from conflicto.platform.limits.bucket import Policy
from conflicto.platform.limits.memory import MemoryLimiter
from conflicto.platform.metrics.registry import FastPathMetrics, Histogram
from conflicto.platform.response_cache import auth_cache
from conflicto.platform.response_cache.auth_cache import AuthCache, CachedAuth
from conflicto.platform.response_cache.cached_response import FULL, NOT_MODIFIED, CachedResponse, Freshness, VisibleTo
from conflicto.platform.response_cache.response_cache import EventBatch, Invalidation, ResponseCache, ViewCache
from tests.support.clocks import HandClock

POLICY = Policy("poll", 600, 60)
HOST, PARTICIPANT = "host", "participant"


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


async def valid() -> None:
    """Accept the token."""


def auth_of(cache: AuthCache, view: ViewCache, participant_id: int | None, lifetime_s: float = 1e9) -> CachedAuth:
    name = b"Bearer %d" % (participant_id or 0)
    cache.add(name, FakeCaller(participant_id), valid, view, lifetime_s=lifetime_s)
    auth = cache.find(name)
    assert auth is not None
    return auth


@pytest.fixture
def auths(clock: HandClock) -> AuthCache:
    return AuthCache(clock, MemoryLimiter(clock))


def filled() -> ResponseCache:
    cache = ResponseCache((HOST, PARTICIPANT))
    for view in (HOST, PARTICIPANT):
        cache.views[view].put(b"/status", cached_response(follows_data=view == HOST))
        cache.views[view].put(b"/since", cached_response())
    cache.events.put("page", EventBatch(b"x", 1, True))
    return cache


def test_a_change_of_data_keeps_what_only_control_changes() -> None:
    cache = filled()
    cache.invalidate(Invalidation.DATA)
    assert {view: list(responses) for view, responses in cache.views.items()} == {HOST: [], PARTICIPANT: [b"/status"]}
    assert not cache.events
    cache.invalidate(Invalidation.CONTROL)
    assert not any(cache.views.values())


def test_only_a_gap_and_the_end_invalidate_authentication(auths: AuthCache) -> None:
    for invalidate, is_valid in (
        (lambda cache: cache.invalidate(Invalidation.DATA), True),
        (lambda cache: cache.invalidate(Invalidation.CONTROL), True),
        (lambda cache: cache.invalidate(Invalidation.ALL), False),
        (lambda cache: cache.close(), False),
    ):
        cache = filled()
        auth_of(auths, cache.views[HOST], None)
        invalidate(cache)
        assert (auths.find(b"Bearer 0") is not None) == is_valid


def test_a_closed_cache_stores_nothing() -> None:
    cache = filled()
    cache.close()
    cache.views[HOST].put(b"/status", cached_response())
    assert not any(cache.views.values())


def test_a_response_is_found_while_it_is_fresh_by_its_readers() -> None:
    cache = ResponseCache((PARTICIPANT,))
    visible_to = VisibleTo({1: 5}, min_ts=5, max_ts=5, default_ts=0)
    cache.views[PARTICIPANT].put(b"/since", cached_response(expires_s=10.0, visible_to=visible_to))

    assert list(cache.views[PARTICIPANT]) == [b"/since"]
    found = [cache.get(PARTICIPANT, b"/since", who, at) is not None for who, at in ((1, 9.0), (1, 10.0), (2, 9.0), (None, 9.0))]
    assert found == [True, False, False, False]


def test_revoke_invalidates_one_participant_and_expired_auths_are_removed(auths: AuthCache, clock: HandClock) -> None:
    view = ViewCache()
    auths.add(b"old", FakeCaller(1), valid, view, lifetime_s=5)
    clock.advance(10)
    new, other = auth_of(auths, view, 1), auth_of(auths, view, 2)
    assert view._auths[1] == [new]
    view.revoke(1)
    assert (new.expires_s, other.expires_s > 0) == (0.0, True)
    assert (auths.find(b"Bearer 1"), auths.find(b"Bearer 2")) == (None, other)


def test_cached_auth_expires_with_its_token_and_after_five_minutes_at_most(auths: AuthCache, clock: HandClock) -> None:
    view, now_s = ViewCache(), clock.monotonic_s()
    assert [auth_of(auths, view, number, life).expires_s - now_s for number, life in ((1, 7), (2, 1e9))] == pytest.approx(
        [7, 300], abs=0.1
    )


def test_the_oldest_authentication_leaves_first(auths: AuthCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth_cache, "MAX_CACHED_AUTHS", 3)
    view = ViewCache()
    for number in range(1, 6):
        auth_of(auths, view, number)
    auths.add(b"x" * 3_000, FakeCaller(9), valid, view, lifetime_s=9)
    assert [auths.find(b"Bearer %d" % number) is not None for number in range(1, 6)] == [False, False, True, True, True]
    assert len(auths) == 3
    assert set(view._auths) == {3, 4, 5}


def test_an_evicted_bucket_is_looked_up_again(auths: AuthCache) -> None:
    one = auth_of(auths, ViewCache(), 1)
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


def test_expired_authentication_is_dropped_with_age(clock: HandClock) -> None:
    budget, view = CacheBudget(), ViewCache()
    auths = AuthCache(clock, MemoryLimiter(clock), budget)
    (account,) = budget.accounts
    auth_of(auths, view, 1)
    clock.advance(200)
    later = auth_of(auths, view, 2)
    clock.advance(101)
    account.age()
    assert (len(auths), set(view._auths), auths.find(b"Bearer 2") is later) == (1, {2}, True)
    clock.advance(200)
    account.age()
    account.age()
    assert (len(auths), account.bytes, view._auths) == (0, 0, {})


def test_a_read_of_the_fast_path_counts_once() -> None:
    cache = filled()
    assert not cache.pop_was_read()
    cache.views[HOST].was_read = True
    assert [cache.pop_was_read(), cache.pop_was_read()] == [True, False]
