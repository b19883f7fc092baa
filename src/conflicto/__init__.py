"""Conflicto: live sessions in which a host lines up activities and everybody follows along."""

__version__ = "0.1.0"
