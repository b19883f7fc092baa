"""Longest times that a connection waits for its client, in seconds.

A connection holds one deadline. The tick of `connection_manager.py` checks it, so no request needs
a timer.
"""

MAX_HEAD_S = 10.0
"""Longest time from the first byte of a request's head to its end, and from a connection to that
byte."""

MAX_BODY_S = 30.0
"""Longest time for a body: 256 KiB over the slowest mobile network."""

MAX_IDLE_S = 75.0
"""Longest pause between two requests. It exceeds the longest poll interval, `Poll-After` of
completed sessions."""

MAX_STALL_S = 20.0
"""Longest time that written bytes wait for a client that does not read."""
