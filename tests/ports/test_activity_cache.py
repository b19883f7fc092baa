"""Results derived from activities: computed once per revision, and only the last few are cached."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from conflicto.activities.commands.edit import change_activity
from conflicto.activities.queries import activity_by_id
from conflicto.activity_types.registry import load_registry
from conflicto.platform.problems import NotFound
from conflicto.responses.activity_cache import ActivityCache
from tests.support.kit import Kit, set_stage
from tests.support.samples import activity


async def test_it_is_made_once_for_all_readers_and_again_for_each_revision(kit: Kit) -> None:
    stage = set_stage(kit, people=0)
    found = kit.db.query(activity_by_id, stage.activity_id)
    made: list[int] = []
    remembered: ActivityCache[int] = ActivityCache(kit.db, lambda each, _: made.append(each.revision) or each.revision, 9)

    first = await asyncio.gather(*(remembered.get(found) for _ in range(5)))
    assert (first, made) == ([found.revision] * 5, [found.revision])
    changed, _ = kit.do(stage.session_id, change_activity, stage.activity_id, {"title": "New"}, {}, types=load_registry(()))
    assert await remembered.get(changed) == changed.revision
    assert await remembered.get(found) == changed.revision, "a newer value is used as well"
    with pytest.raises(NotFound):
        await remembered.get(activity(id=UUID(int=9)))


async def test_the_oldest_go_first(kit: Kit) -> None:
    stages = [set_stage(kit, people=0) for _ in range(3)]
    found = [kit.db.query(activity_by_id, stage.activity_id) for stage in stages]
    made: list[Any] = []
    remembered: ActivityCache[None] = ActivityCache(kit.db, lambda each, _: made.append(each.id), 2)

    for place in (0, 1, 0, 2, 1, 0):
        await remembered.get(found[place])

    assert made == [found[place].id for place in (0, 1, 2, 0)]


async def test_a_reader_of_a_change_never_gets_a_load_that_began_before(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = set_stage(kit, people=0)
    found = kit.db.query(activity_by_id, stage.activity_id)
    remembered: ActivityCache[int] = ActivityCache(kit.db, lambda each, _: each.revision, 9)
    read, late = kit.db.read_unmeasured, []

    async def read_before_a_change(*args: Any) -> Any:
        before = await read(*args)
        if not late:
            changed, _ = kit.do(stage.session_id, change_activity, stage.activity_id, {"title": "New"}, {}, types=load_registry(()))
            late.append(asyncio.create_task(remembered.get(changed)))
            await asyncio.sleep(0)
        return before

    monkeypatch.setattr(kit.db, "read_unmeasured", read_before_a_change)

    assert await remembered.get(found) == found.revision
    assert await late[0] == found.revision + 1
