"""What an engine does with time and memory, without an engine: step times, KV blocks and vLLM's batch scheduler.

Pure and in virtual time: nothing here sleeps, reads a clock or draws lots. The engine simulator puts HTTP around it,
the fleet simulator checks its own fast engine against it.
"""
