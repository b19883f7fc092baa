"""Sessions: live events with a join code, a lifecycle `draft → active → completed`, and a feed.

Invariants: a code is unique among sessions that are not completed; completed is final. Every change
of a session takes its timestamp from the session's head row, under the lock of that row. Start with
`model.py`, then `commands.py`; `feed_heads/` keeps the order of the feed.
"""
