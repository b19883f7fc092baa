"""Groups of responses whose preconditions changed between the front door and the lock."""

from functools import partial
from typing import Any
from uuid import UUID

import pytest

from conflicto.activities.commands.edit import delete_activity
from conflicto.activities.commands.run import move_activity
from conflicto.activities.model import ActivityStatus, ResponsePolicy
from conflicto.activities.queries import counts_by_round
from conflicto.participants.commands.seats import remove
from conflicto.participants.errors import SeatGone
from conflicto.platform.problems import NotFound
from conflicto.responses import capacity as capacities
from conflicto.responses.capacity import Caps, ResponseCapacity
from conflicto.responses.commands.change import edit_response, withdraw_response
from conflicto.responses.commands.submit import Submission, SubmitResult, submit_many
from conflicto.responses.errors import ActivityNotOpen, AlreadyAnswered, AnsweredTooOften
from conflicto.responses.model import ResponseContent
from conflicto.sessions.errors import KeyReused
from conflicto.sessions.idempotency.store import key_from
from tests.support.kit import Kit, command, set_stage


def key(name: str, body: bytes = b"1") -> Any:
    return key_from(name, subject="p", route="submit", body=body)


def test_group_of_everything_gets_each_its_own_answer(kit: Kit) -> None:
    stage, other = set_stage(kit, people=6, policy=ResponsePolicy.FIRST), set_stage(kit, people=1)
    first = kit.run(stage.answer(0, "1", key("k")), stage.answer(1, "1"), stage.answer(4, "1", key("k4")))
    kit.do(stage.session_id, remove, stage.people[2], erase_responses=False, forget=False)
    stranger = Submission(stage.session_id, other.activity_id, stage.people[3], ResponseContent("1"), 1)
    nowhere = Submission(stage.session_id, UUID(int=9), stage.people[3], ResponseContent("1"), 1)

    outcomes = kit.run(
        stage.answer(3, "1"),
        stage.answer(0, "1", key("k")),
        stage.answer(1, "2"),
        stage.answer(2, "1"),
        command(stage.session_id, submit_many, stranger),
        command(stage.session_id, submit_many, nowhere),
        other.answer(0, "1"),
        stage.answer(4, "2", key("k4", b"2")),
        stage.answer(5, "1"),
    )

    assert [type(each) for each in outcomes] == [
        SubmitResult, SubmitResult, AlreadyAnswered, SeatGone, NotFound, NotFound, SubmitResult, KeyReused, SubmitResult,
    ]  # fmt: skip
    assert outcomes[1] == first[0]
    mine = [each.response for each in (outcomes[0], outcomes[8])]
    assert mine[1].ts == mine[0].ts + 1
    assert kit.db.query(counts_by_round, stage.activity_id)[1].live == 5
    assert kit.db.query(counts_by_round, other.activity_id)[1].live == 1


@pytest.mark.catalogue("C-04")
def test_close_that_came_first_is_final(kit: Kit) -> None:
    stage = set_stage(kit, people=2)
    kit.run(stage.answer(0, "1", key("k")))
    kit.do(stage.session_id, move_activity, stage.activity_id, ActivityStatus.EXPIRED, actor="test")

    outcomes = kit.run(stage.answer(0, "1", key("k")), stage.answer(1, "1"))

    assert [type(each) for each in outcomes] == [SubmitResult, ActivityNotOpen]


@pytest.mark.catalogue("C-07")
def test_replay_after_the_activity_is_gone(kit: Kit) -> None:
    stage = set_stage(kit, people=1)
    kit.run(stage.answer(0, "1", key("k")))
    kit.do(stage.session_id, delete_activity, stage.activity_id)

    assert [type(each) for each in kit.run(stage.answer(0, "1", key("k")))] == [NotFound]


def test_only_the_author_edits(kit: Kit) -> None:
    stage = set_stage(kit, people=2)
    mine = kit.run(stage.answer(0, "1"))[0].response

    with pytest.raises(NotFound):
        kit.do(
            stage.session_id, edit_response, mine.id, participant_id=stage.people[1], content=ResponseContent("2"), received_us=1
        )
    with pytest.raises(NotFound):
        kit.do(stage.session_id, withdraw_response, mine.id, participant_id=stage.people[1])
    edited = kit.do(
        stage.session_id, edit_response, mine.id, participant_id=stage.people[0], content=ResponseContent("2"), received_us=1
    )
    assert (edited.text, edited.revision, edited.created_ts) == ("2", 2, mine.created_ts)


def test_two_processes_share_counts_before_a_participant_has_too_many(kit: Kit) -> None:
    stage = set_stage(kit, people=1)
    workers = [ResponseCapacity(Caps(per_session=0, per_participant=8)) for _ in range(2)]

    outcomes = []
    for capacity in workers * 8:
        here = partial(submit_many, capacity=capacity)
        item = Submission(stage.session_id, stage.activity_id, stage.people[0], ResponseContent("1"), 1)
        outcomes += kit.run(command(stage.session_id, here, item))

    assert [type(each) for each in outcomes] == [SubmitResult] * 8 + [AnsweredTooOften] * 8


def test_who_is_not_remembered_is_counted(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """The memory for participants is bounded, and the limit holds for all of them."""
    monkeypatch.setattr(capacities, "MAX_TRACKED", 1)
    stage = set_stage(kit, people=4)
    capacity = ResponseCapacity(Caps(per_session=0, per_participant=3))
    here = partial(submit_many, capacity=capacity)

    outcomes = []
    for _ in range(4):
        items = [Submission(stage.session_id, stage.activity_id, person, ResponseContent("1"), 1) for person in stage.people]
        outcomes += kit.run(*(command(stage.session_id, here, item) for item in items))

    assert [type(each) for each in outcomes] == [SubmitResult] * 12 + [AnsweredTooOften] * 4


def test_first_answers_to_a_new_round_need_no_count_and_last_ones_do(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    capacity, looked = ResponseCapacity(Caps(per_session=0, per_participant=4)), []
    whole = capacities.store.count_by_participant
    monkeypatch.setattr(capacities.store, "count_by_participant", lambda *args: looked.append(args) or whole(*args))
    here = partial(submit_many, capacity=capacity)
    before = set_stage(kit, people=1)
    kit.run(
        command(
            before.session_id, here, Submission(before.session_id, before.activity_id, before.people[0], ResponseContent("1"), 1)
        )
    )
    assert len(looked) == 1

    stage = set_stage(kit, people=2)
    outcomes, lookups = [], []
    for _ in range(5):
        items = [Submission(stage.session_id, stage.activity_id, person, ResponseContent("1"), 1) for person in stage.people]
        outcomes += kit.run(*(command(stage.session_id, here, item) for item in items))
        lookups.append(len(looked) - 1)

    assert [type(each) for each in outcomes] == [SubmitResult] * 8 + [AnsweredTooOften] * 2
    assert lookups[:2] == [0, 0]
    assert lookups[-1] > 0
