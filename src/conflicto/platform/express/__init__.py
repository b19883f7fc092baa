"""Answers that are ready before they are asked for: most polls are the same question with the same answer.

A shelf holds the ready answers of one view, a pass says that the bearer of a token may take from a shelf, and the lane brings a request
and a ready answer together. It decides nothing: what it does not hold goes the whole way through the front door, which gives the same
answer more slowly. A shelf is cleared by the same code that changes what the answers were made from. Start at `lane.py`.
"""
