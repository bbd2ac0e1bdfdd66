"""Recorded and generated traffic, as a stream of arrivals. No trace is part of the project: see `find`."""
