"""vLLM's `/metrics` text to the few figures the router needs.

Names are vLLM V1's. Series of several engine cores (label `engine`) are added up, except the KV cache's usage, of
which the fullest core counts: it is the one that will make requests wait. A missing series is None, not zero: unknown
is not idle.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite


@dataclass(frozen=True, slots=True)
class EngineMetrics:
    """One reading of one endpoint. Counters count from the engine's start; None: not exported."""

    running: int | None = None  # requests in the batch
    waiting: int | None = None  # requests queued
    kv_usage: float | None = None  # 0..1, share of KV blocks in use
    prompt_tokens_total: int | None = None
    generation_tokens_total: int | None = None
    prefix_queries_total: int | None = None  # prompt tokens looked up in the prefix cache
    prefix_hits_total: int | None = None  # of these found
    preemptions_total: int | None = None


_SUMMED = {
    "vllm:num_requests_running": "running",
    "vllm:num_requests_waiting": "waiting",
    "vllm:prompt_tokens_total": "prompt_tokens_total",
    "vllm:generation_tokens_total": "generation_tokens_total",
    "vllm:prefix_cache_queries_total": "prefix_queries_total",
    "vllm:prefix_cache_hits_total": "prefix_hits_total",
    "vllm:num_preemptions_total": "preemptions_total",
}
_KV_USAGE = "vllm:kv_cache_usage_perc"


def parse_metrics(text: bytes) -> EngineMetrics:
    """Read Prometheus' text format; lines that cannot be read are left out, as a scraper would."""
    sums: dict[str, int] = {}
    kv_usage: float | None = None
    for name, value in _samples(text):
        if name == _KV_USAGE:
            kv_usage = value if kv_usage is None else max(kv_usage, value)
        elif (key := _SUMMED.get(name)) is not None:
            sums[key] = sums.get(key, 0) + int(value)
    return EngineMetrics(
        running=sums.get("running"),
        waiting=sums.get("waiting"),
        kv_usage=kv_usage,
        prompt_tokens_total=sums.get("prompt_tokens_total"),
        generation_tokens_total=sums.get("generation_tokens_total"),
        prefix_queries_total=sums.get("prefix_queries_total"),
        prefix_hits_total=sums.get("prefix_hits_total"),
        preemptions_total=sums.get("preemptions_total"),
    )


def _samples(text: bytes) -> Iterator[tuple[str, float]]:
    """Name and value of every finite `vllm:` sample. Labels may hold spaces, so the last `}` ends them."""
    for line in text.decode("utf-8", "replace").splitlines():
        if not line.startswith("vllm:"):
            continue
        head, brace, tail = line.rpartition("}")
        name = head.partition("{")[0] if brace else line.partition(" ")[0]
        values = tail.split() if brace else line.split()[1:]  # a timestamp may follow the value
        try:
            value = float(values[0])
        except (IndexError, ValueError):
            continue
        if isfinite(value):
            yield name, value
