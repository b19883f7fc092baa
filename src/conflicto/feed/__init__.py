"""The feed: the ordered changes of a session, read by everybody who follows along.

A position in it is a timestamp, unique within the session. Start at `timestamps.py`: what a reader may ask for.
"""
