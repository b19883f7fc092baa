"""Idempotency keys and the outcomes that they repeat."""
