"""Reserved places of departed participants: the cost of a group of joins."""

import pytest

from conflicto.joining import commands as joining
from conflicto.joining.commands import JoinRequest, join_many
from conflicto.joining.model import ReservedPlaces
from conflicto.joining.queries import reserved_places
from conflicto.participants.commands.seats import remove
from conflicto.participants.errors import SeatGone
from conflicto.participants.nickname import clean_nickname
from conflicto.platform.db.transaction import ReadTx
from conflicto.sessions.commands import change_session
from conflicto.sessions.idempotency.store import key_from
from conflicto.sessions.queries import session_by_id
from tests.support.kit import Kit, command, set_stage


def _request(session_id: int, code: str, number: int) -> JoinRequest:
    key = key_from(f"6f1c2a34-0000-4000-{number:04d}-000000000000", subject=code, route="join", body=b"{}")
    return JoinRequest(session_id, code, clean_nickname(f"Left {number}"), key)


@pytest.mark.parametrize("most", [None, 40])
def test_a_group_of_joins_reads_the_kept_places_once(kit: Kit, most: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = set_stage(kit, people=2)
    code = kit.db.query(session_by_id, stage.session_id).join_code
    readings = []

    def places(tx: ReadTx, session_id: int) -> ReservedPlaces:
        readings.append(session_id)
        return reserved_places(tx, session_id)

    monkeypatch.setattr(joining, "reserved_places", places)
    if most:
        kit.do(stage.session_id, change_session, stage.session_id, {"max_participants": most}, actor="test")
    requests = [_request(stage.session_id, code, number) for number in range(30)]
    seats = kit.run(*(command(stage.session_id, join_many, request) for request in requests))
    stage.people[:] = [seat.participant.id for seat in seats]
    kit.run(stage.answer(0, "1"), stage.answer(1, "1"))
    for person in stage.people:
        kit.do(stage.session_id, remove, person, erase_responses=False, forget=True)

    readings.clear()
    back = kit.run(*(command(stage.session_id, join_many, request) for request in requests))
    assert [isinstance(each, SeatGone) for each in back] == [False, False, *[True] * 28]
    assert len(readings) == 1
