"""Peers: the other workers of this machine, over Unix sockets.

A session has one writing worker at a time, and its commits reach the memory of all others at once.
"""
