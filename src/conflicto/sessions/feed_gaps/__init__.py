"""Positions of the feeds that a restore or a failover took back."""
