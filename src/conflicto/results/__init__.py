"""Results of activities, aggregated by the operations in their `aggregate`.

The operations are in the package `aggregation`.

A tally that follows commits equals a recount from scratch at any moment: after any edit, deletion,
moderation or reset. Start with `tally.py`.
"""
