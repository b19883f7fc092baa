"""Published states: live, or at the minute's tick during an anonymous round."""

from dataclasses import dataclass, field

import pytest

from conflicto.participants.model import Participant
from conflicto.platform.clock import Clock
from conflicto.session_state import presence as presence_module
from conflicto.session_state.presence import Presence

S = 1_000_000
MINUTE = 60 * S
NOON = 29_000_000 * MINUTE
ROOM = 7


class FixedClock(Clock):
    """A wall clock that a test sets."""

    def __init__(self) -> None:
        self.now_us = NOON

    def wall_us(self) -> int:
        return self.now_us

    def at(self, seconds: float) -> None:
        self.now_us = NOON + int(seconds * S)


@dataclass
class Hall:
    """Presence with a clock, and the sessions with an open anonymous round."""

    clock: FixedClock = field(default_factory=FixedClock)
    hidden: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.presence = Presence(self.clock, self)

    def may_be_anonymous(self, session_id: int) -> bool:
        return session_id in self.hidden

    def sign(self, seconds: float, who: int = 1) -> None:
        self.clock.at(seconds)
        self.presence.record(ROOM, who)

    def state(self, seconds: float, *, stored: float = -9_999, joined: float = -9_999) -> str:
        self.clock.at(seconds)
        someone = Participant(
            id=1, session_id=ROOM, nickname="Anna", nickname_key="anna", token_version=1, scripted=False, revision=1, deleted=False,
            last_seen_us=NOON + int(stored * S), created_ts=NOON + int(joined * S), updated_ts=NOON,
        )  # fmt: skip
        return self.presence.state(someone, self.presence.published_us(ROOM))

    def stored(self, seconds: float) -> dict[int, float]:
        self.clock.at(seconds)
        return {who: (at_us - NOON) / S for who, at_us in self.presence.pop_unsaved().items()}


@pytest.mark.parametrize(
    ("silence", "state"), [(0, "online"), (29.9, "online"), (30, "idle"), (119.9, "idle"), (120, "disconnected")]
)
def test_states_follow_silence_without_an_anonymous_round(silence: float, state: str) -> None:
    hall = Hall()
    hall.sign(1_000)
    assert hall.state(1_000 + silence) == state


def test_a_sign_shows_at_the_tick_after_its_minute_and_never_before() -> None:
    hall = Hall(hidden={ROOM})
    hall.sign(60.5)
    assert {hall.state(60.5 + s) for s in range(74)} == {"disconnected"}
    assert hall.state(134.9) == "disconnected"
    assert hall.state(135) == "idle", "the state at 120 s, 59.5 s after the heartbeat"


@pytest.mark.parametrize("sign", [121, 134, 150, 179.9])
def test_wherever_in_a_minute_a_sign_lies_states_change_at_the_same_instants(sign: float) -> None:
    hall = Hall(hidden={ROOM})
    hall.sign(sign)
    states = [hall.state(sign + tenth / 10) for tenth in range(4_000)]
    changes = [round(sign + number / 10, 1) for number in range(1, len(states)) if states[number] != states[number - 1]]
    assert {round(at % 60) for at in changes} == {15}
    assert len(changes) >= 2


def test_signs_of_every_second_keep_the_one_before_each_tick() -> None:
    hall = Hall(hidden={ROOM})
    for second in range(600):
        hall.sign(second)
        published = (second - 15) // 60 * 60
        assert hall.state(second + 0.5) == ("online" if published > 0 else "disconnected")


def test_joining_shows_at_once() -> None:
    hall = Hall(hidden={ROOM})
    assert hall.state(200, joined=199, stored=199) == "online"
    assert hall.state(200 + 15 + 180, joined=199, stored=199) == "disconnected"


def test_opening_a_round_takes_states_back_to_the_tick_and_closing_shows_them_live() -> None:
    hall = Hall()
    hall.sign(20)
    hall.sign(130)
    assert hall.state(140) == "online"
    hall.hidden.add(ROOM)
    assert hall.state(140) == "idle", "at 120 s the last heartbeat was 100 s old"
    hall.hidden.clear()
    assert hall.state(140) == "online"


def test_what_another_worker_stored_before_the_round_is_read_as_of_the_tick() -> None:
    hall = Hall(hidden={ROOM})
    assert hall.state(140, stored=130) == "online"
    assert hall.state(140, stored=80) == "idle"


def test_what_is_stored_while_a_round_is_open_is_not_newer_than_the_tick() -> None:
    hall = Hall(hidden={ROOM})
    hall.sign(118)
    hall.sign(130)
    assert hall.stored(134) == {}
    assert hall.stored(136) == {1: 118}
    assert hall.stored(190) == {1: 118}
    assert hall.stored(196) == {1: 130}
    assert hall.stored(300) == {}
    hall.sign(310)
    hall.hidden.clear()
    assert hall.stored(311) == {1: 310}


def test_memory_is_bounded_and_the_newest_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence_module, "MAX_PARTICIPANTS", 10)
    hall = Hall(hidden={ROOM})
    for who in range(1, 31):
        hall.sign(who, who)
    hall.stored(31)
    assert set(hall.presence._times) == set(range(26, 31))
    assert hall.stored(31 + 75).keys() == set(range(26, 31))


def test_old_times_are_dropped_once_they_are_stored() -> None:
    hall = Hall()
    hall.sign(0, who=1)
    hall.sign(301, who=2)
    assert hall.stored(302) == {1: 0, 2: 301}
    assert hall.presence._times.keys() == {2}
    hall.sign(400, who=1)
    assert hall.stored(500) == {1: 400}
    assert hall.presence._times.keys() == {2, 1}
    assert hall.stored(1_000) == {}
    assert not hall.presence._times


def test_times_that_wait_for_their_tick_are_kept() -> None:
    hall = Hall(hidden={ROOM})
    hall.sign(400)
    hall.clock.at(401)
    assert hall.stored(401) == {}
    assert hall.presence._times.keys() == {1}
