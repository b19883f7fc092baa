"""Activities: the interactive elements of a session, in order; at most one is active.

The engine stores an activity's `config` and `secret` as JSON text and never looks inside.
Invariants: at most one activity of a session is active, and it is the session's current one.
Answers belong to a round. Only hosts see `secret` before its reveal. Start with `lifecycle.py`
(pure), then `commands/`.
"""
