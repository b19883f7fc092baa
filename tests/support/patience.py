"""Patience of tests with what must come. It measures nothing: a busy machine may take long, and no test that passes waits it out."""

PATIENCE_S = 60.0
