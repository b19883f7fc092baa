"""The ops by which answers are folded, one module for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.results.folds import count, number, rank, score, votes, words

if TYPE_CHECKING:
    from conflicto.results.folds.base import Kind

KINDS: dict[str, Kind] = {
    "count": count.KIND,
    "number": number.KIND,
    "words": words.KIND,
    "rank": rank.KIND,
    "votes": votes.KIND,
    "score": score.KIND,
}
