"""Responses: what participants send, stored as the JSON text that passed the gate, counted in the transaction that stores it.

Invariants: an acknowledged response is durable and appears in the feed exactly once for each revision; nothing is taken after the close
was acknowledged; one participant has one response in a round unless the policy is `many`. Start with `commands/submit.py`.
"""
