"""HTTP server: uvicorn with the fast path, deadlines and connection limits, and a shutdown without loss.

Start with `connection.py`.
"""
