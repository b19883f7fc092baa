from typing import Any

import pytest

from conflicto.activities.model import Counts, ModerationPolicy
from conflicto.responses.counting import updated_counts
from conflicto.responses.model import Moderation, initial_moderation
from tests.support.samples import activity, response

HIDDEN, PENDING, VISIBLE = Moderation.HIDDEN, Moderation.PENDING, Moderation.VISIBLE
ONE = Counts(live=1, live_last_ts=10, live_changed_ts=10, visible=1, visible_last_ts=10, visible_changed_ts=10)


def test_nothing_changes_nothing() -> None:
    assert updated_counts(ONE, []) == ONE


def test_tombstone_of_a_tombstone_counts_nothing() -> None:
    gone = response(ts=10, deleted=True, was_visible=False)

    assert updated_counts(ONE, [(gone, response(ts=20, deleted=True, was_visible=False))]) == ONE


def test_new_answers_count_at_once_and_pending_ones_for_the_host_alone() -> None:
    assert updated_counts(Counts(), [(None, response(ts=10))]) == ONE
    pending = response(ts=10, moderation=PENDING, was_visible=False)
    assert updated_counts(Counts(), [(None, pending)]) == Counts(live=1, live_last_ts=10, live_changed_ts=10)


def test_edited_answers_count_once_and_are_the_newest() -> None:
    edited = updated_counts(ONE, [(response(ts=10), response(ts=20))])

    assert edited == Counts(1, 20, 20, 1, 20, 20)


def test_deleting_the_newest_leaves_a_question() -> None:
    gone = updated_counts(ONE, [(response(ts=10), response(ts=20, deleted=True))])

    assert gone == Counts(0, 0, 20, 0, 0, 20)


def test_deleting_an_older_one_keeps_the_newest() -> None:
    two = Counts(2, 15, 15, 2, 15, 15)

    assert updated_counts(two, [(response(ts=10), response(ts=20, deleted=True))]) == Counts(1, 15, 20, 1, 15, 20)


def test_hiding_and_approving_move_between_the_two_counts() -> None:
    hidden = updated_counts(ONE, [(response(ts=10), response(ts=20, moderation=HIDDEN))])
    assert hidden == Counts(1, 20, 20, 0, 0, 20)

    shown = updated_counts(hidden, [(response(ts=20, moderation=HIDDEN), response(ts=30))])
    assert shown == Counts(1, 30, 30, 1, 30, 30)


@pytest.mark.parametrize("was_visible", [False, True])
def test_a_moved_tombstone_is_a_change_for_readers_of_the_answer(was_visible: bool) -> None:
    before = response(ts=20, moderation=HIDDEN, was_visible=was_visible)
    counts = Counts(live=1, live_last_ts=20, live_changed_ts=20, visible=0, visible_last_ts=None, visible_changed_ts=20)

    gone = updated_counts(counts, [(before, response(ts=30, moderation=HIDDEN, was_visible=was_visible, deleted=True))])

    assert (gone.live, gone.live_changed_ts, gone.visible, gone.visible_last_ts) == (0, 30, 0, None)
    assert gone.visible_changed_ts == (30 if was_visible else 20)


def test_revived_answer_counts_again() -> None:
    revived = updated_counts(Counts(0, None, 20, 0, None, 20), [(response(ts=20, deleted=True), response(ts=30))])

    assert revived == Counts(1, 30, 30, 1, 30, 30)


@pytest.mark.parametrize(
    ("policy", "before", "expected"),
    [
        (ModerationPolicy.OFF, None, VISIBLE),
        (ModerationPolicy.OFF, HIDDEN, VISIBLE),
        (ModerationPolicy.AFTER, None, VISIBLE),
        (ModerationPolicy.AFTER, VISIBLE, VISIBLE),
        (ModerationPolicy.AFTER, HIDDEN, HIDDEN),
        (ModerationPolicy.AFTER, PENDING, PENDING),
        (ModerationPolicy.BEFORE, None, PENDING),
        (ModerationPolicy.BEFORE, VISIBLE, PENDING),
        (ModerationPolicy.BEFORE, HIDDEN, PENDING),
    ],
)
def test_how_a_new_revision_starts(policy: ModerationPolicy, before: Any, expected: Moderation) -> None:
    earlier = None if before is None else response(moderation=before)

    assert initial_moderation(activity(moderation=policy), earlier) is expected
