"""Response cache: finished responses and events of sessions, and verified tokens that read them.

`ResponseCache` holds the responses of one session, by view and by target, and invalidates them by
the kind of change. `AuthCache` holds verified tokens. The request pipeline and the handlers use
both; the fast path (`platform/http/server/fast_path.py`) only reads them. Start with
`response_cache.py`.
"""
