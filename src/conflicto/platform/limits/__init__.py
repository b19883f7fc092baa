"""Rate limits: one pure bucket function (`bucket.py`), its store in memory, and the IETF headers (`headers.py`)."""
