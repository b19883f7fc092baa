"""Fast path: answers polls from memory before ASGI begins.

`ViewCache` holds the cached responses of one view of a session. `CachedAuth` holds a verified
token. `FastPath` matches a request with both. It makes no decisions of its own: a request that it
cannot answer takes the slow path through the request pipeline, which returns the same response. The
code that changes the source of a cached response also invalidates it. Start with `fast_path.py`.
"""
