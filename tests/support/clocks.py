"""A clock that tests advance by hand."""

from conflicto.platform.clock import Clock

US_PER_S = 1_000_000


class HandClock(Clock):
    """A clock that runs like the real one, shifted by `advance`."""

    def __init__(self) -> None:
        self.shift_s = 0.0

    def advance(self, seconds: float) -> None:
        self.shift_s += seconds

    def wall_us(self) -> int:
        return super().wall_us() + int(self.shift_s * US_PER_S)

    def monotonic_s(self) -> float:
        return super().monotonic_s() + max(0.0, self.shift_s)


class StoppedClock(HandClock):
    """A clock that moves by hand alone."""

    def monotonic_s(self) -> float:
        return 1000.0 + self.shift_s
