"""Rate limits: the bucket algorithm, buckets in memory and in Redis, and the IETF headers.

`limiter.py` combines the buckets of this process (`memory.py`) with those of all workers
(`shared_buckets.py`). `concurrency.py` limits requests that run at the same time.
"""
