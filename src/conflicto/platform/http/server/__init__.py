"""HTTP server: uvicorn with the fast path, deadlines and connection limits.

Start with `connection.py`.
"""
