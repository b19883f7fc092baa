from typing import Any

from conflicto.platform.express.passes import Pass
from conflicto.platform.express.ready import FULL, UNCHANGED, Guard, Ready, Terms
from conflicto.platform.express.shelf import Shelf
from conflicto.platform.limits.bucket import Policy
from conflicto.platform.limits.memory import MemoryLimiter
from conflicto.platform.metrics.counting import Spread, Tally
from tests.support.clocks import HandClock

POLICY = Policy("poll", 600, 60)


class Bearer:
    def __init__(self, participant_id: int | None) -> None:
        self.participant_id = participant_id
        self.subject = str(participant_id)


def ready(body: bytes = b"{}", **terms: Any) -> Ready:
    return Ready(body, ((b"etag", b'W/"a"'),), tag=b'W/"a"', policy=POLICY, tally=Tally(Spread(())), terms=Terms(**terms))


def opened(shelf: Shelf, participant_id: int | None, now_s: float = 1000.0) -> Pass:
    return Pass(Bearer(participant_id), shelf, now_s=now_s, life_s=1e9, limiter=MemoryLimiter(HandClock()))


def test_control_takes_all_away_and_data_what_shows_data() -> None:
    shelf = Shelf()
    for target, follows in ((b"/status", False), (b"/since", True)):
        shelf.put(target, ready(), follows_data=follows)
    shelf.clear_data()
    assert set(shelf.answers) == {b"/status"}
    shelf.clear()
    assert shelf.answers == {}


def test_a_closed_shelf_takes_nothing_and_ends_every_pass() -> None:
    shelf = Shelf()
    passes = [opened(shelf, 1), opened(shelf, 2), opened(shelf, None)]
    shelf.close()
    shelf.put(b"/status", ready(), follows_data=False)
    assert shelf.answers == {}
    assert [each.until_s for each in passes] == [0.0] * 3


def test_one_bearers_passes_end_alone_and_old_ones_are_forgotten() -> None:
    shelf = Shelf()
    old, new, other = opened(shelf, 1, now_s=0.0), opened(shelf, 1, now_s=1000.0), opened(shelf, 2)
    assert shelf._passes[1] == [new]
    shelf.revoke(1)
    assert (new.until_s, other.until_s > 0, old.until_s > 0) == (0.0, True, True)


def test_a_pass_lives_no_longer_than_its_token_nor_than_five_minutes() -> None:
    shelf, limiter = Shelf(), MemoryLimiter(HandClock())
    short = Pass(Bearer(1), shelf, now_s=100.0, life_s=7, limiter=limiter)
    long = Pass(Bearer(1), shelf, now_s=100.0, life_s=1e9, limiter=limiter)
    assert (short.until_s, long.until_s) == (107.0, 400.0)


def test_a_forgotten_bucket_is_asked_for_anew() -> None:
    one = opened(Shelf(), 1)
    bucket = one.bucket(POLICY)
    assert one.bucket(POLICY) is bucket
    one._limiter._evict(1e12)
    assert (bucket.take(0.0), one.bucket(POLICY) is bucket) == (False, False)


def test_a_guard_admits_by_the_newest_change_of_the_bearer() -> None:
    guard = Guard({1: 5, 2: 9}, least=0, most=7, otherwise=8)
    assert [guard.admits(bearer) for bearer in (1, 2, 3)] == [True, False, False]
    assert Guard({1: 5}, least=5, most=5, otherwise=0).admits(1)
    assert not Guard({1: 4}, least=5, most=5, otherwise=0).admits(1)


def test_an_answer_is_dated_once_a_second_and_split_by_nothing() -> None:
    answer = ready(b'{"a":1}')
    monday, tuesday = b"date: Mon\r\n", b"date: Tue\r\n"
    full = answer.wire(FULL, monday)
    assert full == (
        b'HTTP/1.1 200 OK\r\ndate: Mon\r\ncontent-type: application/json\r\netag: W/"a"\r\nx-content-type-options: nosniff\r\n'
        b'referrer-policy: no-referrer\r\ncontent-length: 7\r\n\r\n{"a":1}'
    )
    assert answer.wire(FULL, monday) is full
    assert answer.wire(FULL, tuesday) == full.replace(b"Mon", b"Tue")
    assert answer.wire(UNCHANGED, monday).startswith(b"HTTP/1.1 304 Not Modified\r\ndate: Mon\r\netag: ")
    assert answer.wire(UNCHANGED, monday).endswith(b"referrer: no-referrer\r\n\r\n".replace(b"referrer:", b"referrer-policy:"))
