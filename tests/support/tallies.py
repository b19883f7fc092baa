"""Tallies of responses that a test writes down as JSON values."""

from typing import Any

import msgspec

from conflicto.results.tally import RoundTally, TallyInputs, results_by_name
from tests.support.samples import response


def tallied(entry: dict[str, Any], *answers: Any, secret: Any = None, **basis: Any) -> RoundTally:
    """Return a tally of responses.

    Each has its own participant, unless it is a pair (participant, response).
    """
    text = msgspec.json.encode({"r": {"path": "", **entry}}).decode()
    started, duration = basis.get("started_us"), basis.get("duration_seconds")
    config = msgspec.json.encode(basis.get("config")).decode()
    tally = RoundTally(TallyInputs(text, msgspec.json.encode(secret).decode(), started, duration, config=config))
    for number, answer in enumerate(answers, 1):
        who, data = answer if isinstance(answer, tuple) else (number, answer)
        tally.add(
            response(participant_id=who, received_us=number * 1_000_000, created_ts=number, text=msgspec.json.encode(data).decode())
        )
    return tally


def results_of(tally: RoundTally, *, is_scored: bool = True, is_anonymous: bool = False) -> dict[str, Any]:
    found = results_by_name(tally, is_host=False, is_scored=is_scored, is_anonymous=is_anonymous)["r"]
    return msgspec.json.decode(msgspec.json.encode(found))


def result(entry: dict[str, Any], *answers: Any, **basis: Any) -> dict[str, Any]:
    return results_of(tallied(entry, *answers, **basis))
