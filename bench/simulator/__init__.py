"""A simulated engine: vLLM 0.29's HTTP API as the router uses it, with the timing of a real engine's batches, no GPU.

Texts are nonsense, everything else is meant to be like the engine's: token counts, cache hits, the order in which
requests are served, the bytes of a stream, metrics, KV-cache events. What it leaves out: several choices (`n`), tools,
constrained output and logprobs (asked for, they are ignored or refused), image URLs that would have to be fetched.
"""
