"""Head rows of all sessions' feeds."""
