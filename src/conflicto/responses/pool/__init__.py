"""Pool of an anonymous round: stored and acknowledged responses that only their authors can read.

Their rows have a table of their own, so no feed, count, tally or export of others contains them.
`commands/release.py` moves them.
"""
