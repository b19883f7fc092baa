"""Pool of an anonymous round: answers that are stored and acknowledged, and that only their authors read yet.

Rows lie in a table of their own, so no feed, count, tally or export of others can see them. `commands/release.py` moves them.
"""
