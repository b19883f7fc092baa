"""Sessions: one live event each, with a code to join by, a lifecycle `draft → active → completed`, and the head of its feed.

Invariants: a code is unique among sessions that are not completed; completed is final; every change of a session draws its timestamp
from the session's head row, under that row's lock. Start with `model.py`, then `commands.py`; `heads.py` keeps the feed's order.
"""
