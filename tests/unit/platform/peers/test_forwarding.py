"""Choice of the writing worker: the same everywhere, and few sessions move."""

import os
from collections import Counter

from conflicto.platform.peers.forwarding import WORKERS_PER_WRITER, writer_of

TOPICS = range(4_000)


def test_up_to_four_workers_have_one_writer_the_oldest() -> None:
    for workers in ([30], [30, 31], [33, 31, 30, 32]):
        assert {writer_of(topic, workers) for topic in TOPICS} == {30}


def test_more_workers_have_a_writer_for_every_four_with_even_shares() -> None:
    workers = range(100, 100 + 4 * WORKERS_PER_WRITER)
    shares = Counter(writer_of(topic, workers) for topic in TOPICS)
    assert sorted(shares) == [100, 101, 102, 103]
    assert min(shares.values()) > len(TOPICS) / 4 * 0.85


def test_order_of_the_workers_has_no_effect() -> None:
    workers = [9, 3, 5, 11, 2, 8, 7, 1, 6]
    assert [writer_of(topic, workers) for topic in TOPICS] == [writer_of(topic, sorted(workers)) for topic in TOPICS]


def test_loss_of_a_writer_moves_only_its_sessions() -> None:
    before = set(range(100, 109))
    after = before - {101}
    for topic in TOPICS:
        if writer_of(topic, before) != 101:
            assert writer_of(topic, after) in {writer_of(topic, before), 103}


def test_own_process_can_be_the_writer() -> None:
    assert writer_of(1, {os.getpid()}) == os.getpid()
