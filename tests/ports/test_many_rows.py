"""Bulk statements: equal values on both databases, and an index for every look-up."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, text

from conflicto.activities import store as activities
from conflicto.participants import store as participants
from conflicto.platform.db.dialects.sqlite_statements import lookup_statement
from conflicto.platform.ids import ordered_uuids
from conflicto.platform.problems import InternalError
from conflicto.responses import store
from conflicto.responses.model import Moderation, ParticipantResponse
from conflicto.sessions.idempotency import store as idempotency
from conflicto.sessions.idempotency.store import Key, Replay, find_replays, store_keys
from conflicto.sessions.tables import idempotency_keys
from tests.support.kit import Kit, set_stage
from tests.support.samples import response

MAX_BIGINT = 2**63 - 1
TEXTS = [
    '"plain"', '"\\"quoted\\" and \\\\ and \\u0001"', '"\'; DROP TABLE responses; --"', "{}",
    '{"a":[1,null,true]}', "null", '"%s :name ? $1"',
    '"tab\\t, {curly}, \'single\'"', '"\U0001f600 \u202e\u0627\u0644\u0633\u0644\u0627\u0645 \u2028"', None,
]  # fmt: skip


def answers(session_id: int, activity_id: Any) -> list[ParticipantResponse]:
    ids = list(ordered_uuids(1, len(TEXTS)))
    return [
        response(
            id=ids[place], session_id=session_id, activity_id=activity_id, participant_id=2**48 - 1 - place, slot=ids[place],
            ts=1 + place, created_ts=1, received_us=MAX_BIGINT, deleted=each is None, moderation=Moderation.PENDING, was_visible=False,
            text=each, masked=TEXTS[-1 - place],
        )
        for place, each in enumerate(TEXTS)
    ]  # fmt: skip


def test_what_is_stored_by_the_hundred_is_found_as_it_was(kit: Kit) -> None:
    stage = set_stage(kit, people=1)
    given = answers(stage.session_id, stage.activity_id)

    kit.do(stage.session_id, store.add_many, given)
    assert kit.db.query(store.find_many, [each.id for each in given]) == {each.id: each for each in given}

    changed = [
        replace(
            each, ts=each.ts + 100, revision=2, deleted=not each.deleted, moderation=Moderation.HIDDEN, text=each.masked,
            masked=each.text,
        )
        for each in given
    ]  # fmt: skip
    kit.do(stage.session_id, store.save_many, changed[1:])
    assert kit.db.query(store.find_many, [each.id for each in given]) == {each.id: each for each in (given[0], *changed[1:])}


def test_one_row_that_does_not_fit_keeps_all_out(kit: Kit) -> None:
    stage = set_stage(kit, people=1)
    given = answers(stage.session_id, stage.activity_id)

    with pytest.raises(InternalError):
        kit.do(stage.session_id, store.add_many, [*given, given[0]])

    assert kit.db.query(store.find_many, [each.id for each in given]) == {}


def test_bytes_are_stored_and_found_whatever_they_hold(kit: Kit) -> None:
    stage = set_stage(kit, people=1)
    keys = [
        Key(bytes([first] + [255 - first] * 15), bytes(range(first, first + 16))) for first in (0, 1, 34, 39, 92, 127, 128, 240)
    ]

    kit.do(stage.session_id, store_keys, [(key, stage.session_id, 201, f"entity {key.id[0]}") for key in keys])

    assert kit.db.query(find_replays, [*keys, Key(b"?" * 16, b"?" * 16), None]) == {
        key.id: Replay(201, f"entity {key.id[0]}") for key in keys
    }
    stored = kit.db.query(lambda tx: tx.all(select(idempotency_keys.c.id, idempotency_keys.c.fingerprint)))
    assert {(bytes(row.id), bytes(row.fingerprint)) for row in stored} == {(key.id, key.fingerprint) for key in keys}


def test_nobody_is_found_by_no_keys(kit: Kit) -> None:
    stage = set_stage(kit, people=3)

    assert kit.db.query(participants.present_ids, []) == set()
    assert kit.db.query(participants.present_ids, [*stage.people, 1]) == set(stage.people)
    assert kit.db.query(store.find_single_responses, [(each, stage.activity_id, 1) for each in stage.people]) == {}


LOOKUPS = {
    "present": participants._PRESENT, "taken": participants._TAKEN, "earlier": store._SINGLE_RESPONSES, "each": store._ROW_COUNTS,
    "rounds": activities._SOME_ROUNDS, "keys": idempotency._LOOKUP,
}  # fmt: skip


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", LOOKUPS)
def test_sqlite_looks_up_each_key_by_index(kit: Kit, name: str) -> None:
    """Drive the join by the keys: the other order reads all rows of a session for each key."""
    with kit.db.writer_connection() as connection:
        wanted = str(lookup_statement(LOOKUPS[name]).compile(connection))
        plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {wanted}", ("[]",) * wanted.count("?"))]

    assert plan[0].startswith("SCAN")
    assert "VIRTUAL TABLE" in plan[0]
    assert plan[1].startswith("SEARCH")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_table_that_is_small_now_is_searched_by_index_all_the_same(kit: Kit) -> None:
    """PostgreSQL caches plans: a sequential scan of a small table would stay when it is large."""
    stage = set_stage(kit, people=3)
    kit.run(*(stage.answer(who, "1") for who in range(3)))

    with kit.db.writer_connection() as connection:
        connection.execute(text("ANALYZE"))
        plans = {
            name: "\n".join(connection.execute(text(f"EXPLAIN {wanted}")).scalars())
            for name, wanted in {
                "present": "SELECT id FROM participants WHERE id = ANY (CAST('{1,2,3}' AS bigint[]))",
                "saved": "UPDATE responses SET ts = r.ts FROM json_to_recordset('[]') AS r (id uuid, ts bigint) WHERE responses.id = r.id",
            }.items()
        }
    assert all("Seq Scan" not in plan and "Index" in plan for plan in plans.values()), plans
