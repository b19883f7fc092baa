"""Participants: anonymous people in a session, each with a nickname and a seat."""
