"""Access: who is calling, and what they may call.

A token says a role in one session; every route declares which roles may call it; nothing is taken from a body or query. Start with
`roles.py`, then `admission.py`.
"""
