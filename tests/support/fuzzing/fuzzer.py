"""A fuzzer in this process: thousands of damaged requests a second.

All readers read everything again after accepted ones.
"""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

import msgspec

from conflicto.app import App
from conflicto.platform.problems import DomainError
from conflicto.platform.strict_json import CONFIG_LIMITS, compact
from tests.support.fuzzing.cases import Case, seeds
from tests.support.fuzzing.exchange import AsgiResponse, Judge, send_case
from tests.support.fuzzing.mutation import mutated, sendable
from tests.support.fuzzing.world import World

CHUNK = 400
"""Cases that share two events. A case that ends an event affects only these."""

TOGETHER = 16
"""Concurrent cases, so that the writer can commit them in groups."""

READ_BACK_AFTER = 60
"""Accepted bodies between two rounds of all readers; the fault of a round is one of these."""

MAX_ROUND_S = 2.0
"""Processor time of the event loop for one round of concurrent cases; more is a hang."""

STORED = ("response_data", "config", "secret")
"""Fields that are returned byte for byte."""


@dataclass
class Fuzz:
    """A runner that counts its cases.

    It reports a fault with its case, seed and number, which reproduce it.
    """

    app: App
    seed: str
    statuses: Counter[int] = field(default_factory=Counter)
    reads: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    unsent: int = 0
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.judge = Judge(self.app)
        self.cases = seeds(self.app.edge.routes)
        self._fresh: list[str] = []

    async def run(self, count: int, first: int = 0) -> None:
        """Run `count` cases from number `first` on, and stop after a chunk with a fault."""
        for begin in range(first, first + count, CHUNK):
            world = await World.make(self.app)
            for at in range(begin, min(begin + CHUNK, first + count), TOGETHER):
                began = time.thread_time()
                await asyncio.gather(*(self._one(world, index) for index in range(at, min(at + TOGETHER, first + count))))
                if time.thread_time() - began > MAX_ROUND_S:
                    self._note(at, None, f"these {TOGETHER} took {time.thread_time() - began:.1f} s of processor time")
                if len(self._fresh) >= READ_BACK_AFTER:
                    await self._read_back(world)
            await self._read_back(world)
            self.reads += world.reads
            if self.faults:
                return

    async def _one(self, world: World, index: int) -> None:
        case = mutated(self.cases, self.seed, index)
        if not sendable(case):
            self.unsent += 1
            return
        await self.one(world, case, index)

    async def one(self, world: World, case: Case, index: int) -> None:
        """Send a case and check its response."""
        filled = case.filled(world.names)
        try:
            response = await send_case(self.app, filled)
        except TimeoutError:
            self._note(index, case, "it hangs")
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not escape the app
            self._note(index, case, f"escaped: {error!r}")
            return
        if response is None:
            self.unsent += 1
            return
        self.statuses[response.status] += 1
        fault = self.judge.fault(filled, response)
        if response.status in {200, 201} and filled.method in {b"POST", b"PUT", b"PATCH"}:
            self.accepted += 1
            self._fresh.append(f"{index}: {case!r}")
            fault = fault or _changed(filled, response)
        if fault:
            self._note(index, case, fault)

    async def _read_back(self, world: World) -> None:
        fresh, self._fresh = self._fresh, []
        try:
            wrong = await world.read_back(self.judge)
        except Exception as error:  # noqa: BLE001 - a reader that fails is what this looks for
            wrong = [repr(error)]
        if wrong:
            self.faults.append(f"seed {self.seed}: readers fail: {wrong[:3]}\nafter one of\n" + "\n".join(fresh))

    def _note(self, index: int, case: Case | None, fault: str) -> None:
        self.faults.append(f"seed {self.seed}, case {index}: {fault}\n{case!r}")

    def report(self) -> str:
        """Return the counts in one line."""
        counts = ", ".join(f"{status}: {count}" for status, count in sorted(self.statuses.items()))
        return (
            f"seed {self.seed}: {sum(self.statuses.values())} requests ({counts}), {self.unsent} that no parser hands on, "
            f"{self.accepted} accepted, {sum(self.reads.values())} readings, {len(self.faults)} faults"
        )


def _changed(case: Case, response: AsgiResponse) -> str | None:
    """Return the fields that were not returned as they were sent."""
    if b"json" not in response.media_type:
        return None
    try:
        sent, shown = (_texts(body) for body in (compact(case.body, CONFIG_LIMITS), response.body))
    except (DomainError, ValueError):
        return None if not case.body else f"an accepted body that the gate refuses: {response.body[:200]!r}"
    names = [name for name in STORED if name in sent and name in shown]
    wrong = [name for name in names if sent[name] != shown[name]]
    return f"{wrong} came back as {[shown[name] for name in wrong]}" if wrong else None


def _texts(body: bytes) -> dict[str, str]:
    return {name: bytes(raw).decode() for name, raw in msgspec.json.decode(body, type=dict[str, msgspec.Raw]).items()}
