"""Batches run here: requests that nobody waits for, sent whenever there is room."""
