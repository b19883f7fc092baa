"""The HTTP edge, for both planes alike: one table of routes, one front door, one way to say what went wrong.

Start with `routes.py` (what a route declares), then `front_door.py` (what every request passes).
"""
