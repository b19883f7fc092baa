from uuid import UUID

from conflicto.platform.ids import ordered_uuids

AT_US = 1_764_000_000_123_456


def test_uuids_of_one_instant_differ_and_name_it() -> None:
    made = list(ordered_uuids(AT_US, 1_000))

    assert len(set(made)) == 1_000
    assert {(each.version, each.variant) for each in made} == {(7, UUID(int=1 << 63).variant)}
    assert {each.int >> 80 for each in made} == {AT_US // 1_000}


def test_uuids_of_a_later_microsecond_come_after() -> None:
    earlier, later = max(ordered_uuids(AT_US, 100)), min(ordered_uuids(AT_US + 1, 100))

    assert earlier < later
