from itertools import islice
from random import Random
from statistics import median

import pytest

from conflicto.participants.nickname import clean_nickname
from conflicto.rehearsal import timing
from conflicto.rehearsal.timing import join_delay, response_delays
from conflicto.rehearsal.traits import NAMES, BotTraits, bot_names, random_traits


def people(count: int) -> list[BotTraits]:
    chance = Random(7)
    return [random_traits(chance) for _ in range(count)]


def test_everybody_has_a_name_of_their_own() -> None:
    many = list(islice(bot_names(Random(1)), len(NAMES) * 22))

    assert len({clean_nickname(name).key for name in many}) == len(many)
    assert sorted(many[: len(NAMES)]) == sorted(NAMES)
    assert "." in many[len(NAMES)]


def test_a_large_audience_joins_within_a_minute_and_a_team_within_seconds() -> None:
    assert max(join_delay(200, each) for each in people(200)) <= 45
    assert max(join_delay(5, each) for each in people(5)) <= 3


def test_bots_read_before_they_answer() -> None:
    first = [next(iter(response_delays(each, many=False, final=True, duration_s=None)), None) for each in people(400)]
    delays = [each for each in first if each is not None]

    assert 5 < median(delays) < 12
    assert min(delays) > timing.READING_S
    assert 330 < len(delays) < 400


@pytest.mark.parametrize("duration_s", [5, 20])
def test_nearly_all_answer_in_time(duration_s: int) -> None:
    delays = [at for each in people(300) for at in response_delays(each, many=False, final=True, duration_s=duration_s)]

    assert max(delays) <= duration_s
    assert len(delays) > 250


def test_bots_send_several_answers_where_allowed_and_some_edit() -> None:
    many, one, final = (
        [len(list(response_delays(each, many=many, final=final, duration_s=None))) for each in people(400)]
        for many, final in ((True, False), (False, False), (False, True))
    )

    assert max(many) > 3
    assert 5 < one.count(2) < 80
    assert set(final) == {0, 1}
