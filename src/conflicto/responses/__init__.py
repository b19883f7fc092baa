"""Responses of participants: stored as validated JSON text, counted in the same transaction.

Invariants: an acknowledged response is durable and appears in the feed exactly once for each
revision. No response is accepted after the close was acknowledged. A participant has one response
in a round unless the policy is `many`. Start with `commands/submit.py`.
"""
