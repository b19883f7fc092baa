"""HTTP server: uvicorn with the fast path, deadlines and connection limits.

`http_connection.py` receives requests, `request_cycle.py` sends responses, and `fast_path.py` adds
the fast path.
"""
