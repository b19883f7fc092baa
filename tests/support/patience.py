"""Timeout of tests for events that must come.

It measures nothing: a busy machine may take long, and no passing test waits for it.
"""

PATIENCE_S = 60.0
