"""Results: what an activity's answers say together, by the operations of its `aggregate` (package `aggregation`).

A tally (`tally.py`) that follows commits equals a recount from scratch at any moment, whatever was edited, deleted, moderated or reset.
Start with `tally.py`.
"""
