"""Our HTTP server: uvicorn, with the express lane before ASGI, deadlines and caps, and a way to stop that loses nothing.

Start at `connection.py`.
"""
