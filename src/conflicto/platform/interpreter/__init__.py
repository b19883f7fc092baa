"""The Python that runs the server: how it is set up, and which of its known faults are not mended in it."""
