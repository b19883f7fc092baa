from dataclasses import replace
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from conflicto.activities.model import Counts
from conflicto.responses.counting import updated_counts
from conflicto.responses.model import Moderation, ParticipantResponse
from tests.support.samples import response

Change = tuple[ParticipantResponse | None, ParticipantResponse]
STEPS = st.lists(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["write", "delete", *Moderation])), max_size=5), max_size=12)


def recounted(rows: dict[int, ParticipantResponse], live_changed: int, visible_changed: int) -> Counts:
    live = [each.ts for each in rows.values() if not each.deleted]
    visible = [each.ts for each in rows.values() if each.is_visible]
    return Counts(len(live), max(live, default=None), live_changed, len(visible), max(visible, default=None), visible_changed)


def next_revision(before: ParticipantResponse | None, number: int, what: str, ts: int) -> ParticipantResponse | None:
    """Return the value that a command would store, or None if it would be refused."""
    if what == "write":
        base = before or response(id=UUID(int=number), revision=0)
        return replace(base, ts=ts, revision=base.revision + 1, deleted=False)
    if before is None or before.deleted:
        return None
    if what == "delete":
        return replace(before, ts=ts, revision=before.revision + 1, deleted=True, text=None)
    moderation = Moderation(what)
    seen = before.was_visible or moderation is Moderation.VISIBLE
    return replace(before, ts=ts, revision=before.revision + 1, moderation=moderation, was_visible=seen)


@settings(max_examples=300)
@given(STEPS, st.booleans())
def test_kept_counts_are_what_counting_would_give(groups: list[list[tuple[int, str]]], pending_first: bool) -> None:
    rows: dict[int, ParticipantResponse] = {}
    counts, ts, live_changed, visible_changed = Counts(), 0, 0, 0
    for group in groups:
        changes: list[Change] = []
        for number, what in group:
            before = rows.get(number)
            after = next_revision(before, number, what, ts + 1)
            if after is None:
                continue
            if before is None and pending_first:
                after = replace(after, moderation=Moderation.PENDING, was_visible=False)
            ts += 1
            rows[number] = after
            changes.append((before, after))
            live_changed = ts
            visible_changed = ts if after.was_visible else visible_changed
        counts = updated_counts(counts, changes)
        expected = recounted(rows, live_changed, visible_changed)
        if counts.live_last_ts == 0:
            counts = replace(counts, live_last_ts=expected.live_last_ts)
        if counts.visible_last_ts == 0:
            counts = replace(counts, visible_last_ts=expected.visible_last_ts)
        assert counts == expected
