"""Faults of views that phones and screens report, for the host and the log."""
