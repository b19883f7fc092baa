"""A participant: an anonymous person in one session, with a nickname and a seat."""
