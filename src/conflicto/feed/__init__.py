"""The feed: the ordered changes of a session, read by every client that follows it.

A position in it is a timestamp, unique within the session. Start at `timestamps.py`, which parses
the position that a client sends.
"""
