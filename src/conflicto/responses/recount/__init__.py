"""Comparison of the stored counters with the rows, for `conflicto db check` and for tests."""
