"""Joining: seats by code and nickname or by a link, and the list of a session's participants."""
