"""Rankings compared with libraries of voting rules: random ballots with ties and gaps.

`make voting-check` installs the libraries.
"""

import logging
from collections.abc import Iterator, Sequence
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conflicto.results.tally import RoundTally, TallyInputs, results_by_name
from tests.support.samples import response

whalrus = pytest.importorskip("whalrus")
votes = pytest.importorskip("votekit.ballot")
profiles = pytest.importorskip("votekit.pref_profile")
scoring = pytest.importorskip("votekit.utils")

OPTIONS = "abcdef"
Ballot = list[list[str]]
Points = dict[str, Fraction]

PARTIAL = st.permutations(OPTIONS).flatmap(
    lambda order: st.integers(1, len(OPTIONS)).map(lambda most: [[each] for each in order[:most]])
)


def _with_ties(both: tuple[Ballot, list[bool]]) -> Ballot:
    places: Ballot = []
    for place, is_shared in zip(*both, strict=False):
        if is_shared and places:
            places[-1] += place
        else:
            places.append(list(place))
    return places


TIED = st.tuples(PARTIAL, st.lists(st.booleans(), min_size=len(OPTIONS), max_size=len(OPTIONS))).map(_with_ties)
ISSUE: list[Ballot] = [[["a"]], [["a"]], [["a"]], [["b"], ["c"], ["d"], ["e"], ["a"]]]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Ignore the libraries' warnings about incomplete ballots."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


def ours(ballots: Sequence[Ballot], unranked: str) -> Points:
    spec = {"r": {"path": "", "op": "rank", "rule": "borda", "of": list(OPTIONS), "unranked": unranked}}
    tally = RoundTally(TallyInputs(msgspec.json.encode(spec).decode(), None, None, None))
    for ballot in ballots:
        sent = [place[0] if len(place) == 1 else place for place in ballot]
        tally.add(response(text=msgspec.json.encode(sent).decode()))
    results = msgspec.json.decode(msgspec.json.encode(results_by_name(tally, is_host=True, is_scored=True, is_anonymous=False)))
    return {each["value"]: Fraction(each["points"]) for each in results["r"]["ranking"]}


def of_whalrus(ballots: Sequence[Ballot], *, is_average: bool) -> Points:
    orders = [whalrus.BallotOrder([set(place) for place in ballot], candidates=set(OPTIONS)) for ballot in ballots]
    scorer = whalrus.ScorerBorda(unordered_receive_points=is_average)
    scores = whalrus.RuleBorda(whalrus.Profile(orders), scorer=scorer).gross_scores_
    return {option: Fraction(score) for option, score in scores.items()}


def of_votekit(ballots: Sequence[Ballot], *, is_average: bool) -> Points:
    """Return the scores of votekit, less a point for each ballot: it counts from n to 1."""
    rankings = [[*map(frozenset, ballot), frozenset(OPTIONS).difference(*ballot)] for ballot in ballots]
    profile = profiles.RankProfile(
        ballots=tuple(votes.RankBallot(ranking=tuple(filter(None, ranking))) for ranking in rankings),
        candidates=tuple(OPTIONS),
        max_ranking_length=len(OPTIONS),
    )
    scores = scoring.borda_scores(profile, tie_convention="average" if is_average else "low")
    return {option: Fraction(float(scores[option])) - len(ballots) for option in OPTIONS}


@settings(max_examples=150)
@given(st.lists(TIED, min_size=1, max_size=12))
def test_borda_with_shared_places_agrees_with_both_libraries(ballots: list[Ballot]) -> None:
    assert ours(ballots, "average") == of_whalrus(ballots, is_average=True) == of_votekit(ballots, is_average=True)


@settings(max_examples=150)
@given(st.lists(PARTIAL, min_size=1, max_size=12))
def test_borda_without_points_for_the_unranked_agrees_with_both_libraries(ballots: list[Ballot]) -> None:
    assert ours(ballots, "zero") == of_whalrus(ballots, is_average=False) == of_votekit(ballots, is_average=False)


@settings(max_examples=100)
@given(st.lists(TIED, min_size=1, max_size=12))
def test_shared_places_agree_with_whalrus_where_the_unranked_get_nothing(ballots: list[Ballot]) -> None:
    assert ours(ballots, "zero") == of_whalrus(ballots, is_average=False)


@pytest.mark.parametrize("unranked", ["average", "zero"])
def test_what_three_of_four_rank_first_wins(unranked: str) -> None:
    points = ours(ISSUE, unranked)
    assert max(points, key=lambda option: points[option]) == "a"
