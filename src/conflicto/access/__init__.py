"""Access: authentication of callers, and the routes that their roles may use.

A token has a role in one session, and every route declares its roles. Bodies and queries grant
nothing. Start with `roles.py`; `session_state/authentication.py` authenticates requests.
"""
