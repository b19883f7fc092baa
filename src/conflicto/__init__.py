"""Conflicto: live sessions with polls, quizzes, Q&A and any activity described in JSON."""

__version__ = "0.1.0"
