"""Recount of stored counters: compares each counter with the rows, for `conflicto db check` and for tests."""
