"""Results of activities, aggregated by the operations of their `aggregate` (package `aggregation`).

A tally (`tally.py`) that follows commits equals a recount from scratch at any moment, after any edit,
deletion, moderation or reset. Start with `tally.py`.
"""
