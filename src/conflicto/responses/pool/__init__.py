"""Pool of an anonymous round: stored and acknowledged responses that only their authors can read.

Rows lie in a table of their own, so no feed, count, tally or export of others can see them. `commands/release.py` moves them.
"""
