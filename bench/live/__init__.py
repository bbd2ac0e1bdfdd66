"""Routing measured live: simulated (or real) engines, the real router over HTTP, recorded or generated requests."""
