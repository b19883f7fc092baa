"""Memory of an export: it grows with people and activities, not with answers."""

import gc
import tracemalloc
from collections.abc import Iterator
from io import RawIOBase

import pytest

from conflicto.activities.model import ResponsePolicy
from conflicto.activity_types.registry import load_registry
from conflicto.exports.files import FileFormat, write_file
from conflicto.exports.reader import ResponseReader
from conflicto.exports.sheets import Shape
from tests.support.kit import Kit, Stage, set_stage
from tests.support.patience import PATIENT

FEW, MANY = 400, 1_600
PEOPLE = 200
REPEATS = 2
TEXT = '{"text":"' + "as always on Mondays " * 50 + '"}'
A_QUARTER = len(TEXT) * (MANY - FEW) // 4
"""Bytes of a quarter of the additional answers, the bound of growth."""


class Nowhere(RawIOBase):
    """A file that only counts its bytes."""

    written = 0

    def writable(self) -> bool:
        return True

    def write(self, part: bytes) -> int:  # type: ignore[override]
        self.written += len(part)
        return len(part)


@pytest.fixture
def kit(database_url: str) -> Iterator[Kit]:
    """A database with a timeout that allows for tracing every allocation."""
    made = Kit(database_url, timeouts=PATIENT)
    yield made
    made.close()


def answered(kit: Kit, answers: int) -> Stage:
    stage = set_stage(kit, people=PEOPLE, policy=ResponsePolicy.MANY)
    while answers:
        some = min(answers, 500)
        kit.run(*[stage.answer(each % PEOPLE, TEXT) for each in range(some)])
        answers -= some
    return stage


def peak(kit: Kit, stage: Stage, form: FileFormat, shape: Shape) -> tuple[int, int]:
    """Return the peak of allocated bytes, and the size of the file."""
    gc.collect()
    tracemalloc.start()
    try:
        size = exported(kit, stage, form, shape)
        return tracemalloc.get_traced_memory()[1], size
    finally:
        tracemalloc.stop()


def exported(kit: Kit, stage: Stage, form: FileFormat, shape: Shape) -> int:
    """Write a file, and return its size."""
    file = Nowhere()
    kit.db.query(lambda tx: write_file(ResponseReader(tx, stage.session_id), form, shape, file, load_registry()))
    return file.written


@pytest.mark.catalogue("S-06")
@pytest.mark.parametrize("shape", [shape for shape in Shape if shape is not Shape.CODEBOOK])
def test_four_times_the_answers_take_no_more_memory(kit: Kit, shape: Shape, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.exports.sheets.MAX_RESPONSES_PER_BATCH", 50)
    few, many = answered(kit, FEW), answered(kit, MANY)
    for form in FileFormat:
        exported(kit, few, form, shape)

    for form in FileFormat:
        (small, less), (large, more) = peak(kit, few, form, shape), peak(kit, many, form, shape)
        assert more > less
        for _ in range(REPEATS):  # threads of earlier tests may allocate meanwhile
            large = min(large, peak(kit, many, form, shape)[0]) if large >= small + A_QUARTER else large
        assert large < small + A_QUARTER, (form, small, large)
