"""State of the sessions in use, in the memory of a process.

Commits keep it current; start at `session_cache.py`. `worker_sync.py` exchanges commits with other
processes.
"""
