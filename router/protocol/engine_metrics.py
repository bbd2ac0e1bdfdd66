"""vLLM's `/metrics` text to the few figures the router needs.

Names are vLLM V1's. Series of several engine cores (label `engine`) are added up, except the KV cache's usage, of
which the fullest core counts: it is the one that will make requests wait. A missing series is None, not zero: unknown
is not idle.
"""

import re
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
    cache_tokens: int | None = None  # that fit into the KV cache
    adapters: frozenset[str] | None = None  # in use or asked for; None: the engine serves none


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
_CACHE = "vllm:cache_config_info"  # its labels tell the size
_ADAPTERS = "vllm:lora_requests_info"  # its labels tell their names
_LABEL = re.compile(r'(?<!\w)(\w+)="([^"]*)"')  # looked for where words begin, else the time is quadratic


def parse_metrics(text: bytes) -> EngineMetrics:
    """Read Prometheus' text format; lines that cannot be read are left out, as a scraper would."""
    sums: dict[str, int] = {}
    kv_usage: float | None = None
    cache_tokens: int | None = None
    adapters: dict[float, frozenset[str]] = {}  # by when they were told
    for name, labels, value in _samples(text):
        if name == _KV_USAGE:
            kv_usage = value if kv_usage is None else max(kv_usage, value)
        elif name == _CACHE:
            cache_tokens = (cache_tokens or 0) + _cache_tokens(labels)
        elif name == _ADAPTERS:
            adapters[value] = _adapters(labels)
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
        cache_tokens=cache_tokens or None,
        adapters=adapters[max(adapters)] if adapters else None,
    )


def _cache_tokens(labels: str) -> int:
    known = dict(_LABEL.findall(labels))
    try:
        return int(known["block_size"]) * int(known["num_gpu_blocks"])
    except (KeyError, ValueError):  # not known yet
        return 0


def _adapters(labels: str) -> frozenset[str]:
    known = dict(_LABEL.findall(labels))
    names = f"{known.get('running_lora_adapters', '')},{known.get('waiting_lora_adapters', '')}"
    return frozenset(name.strip() for name in names.split(",")) - {""}


def _samples(text: bytes) -> Iterator[tuple[str, str, float]]:
    """Name, labels and value of every finite `vllm:` sample. Labels may hold spaces, so the last `}` ends them."""
    for line in text.decode("utf-8", "replace").splitlines():
        if not line.startswith("vllm:"):
            continue
        head, brace, tail = line.rpartition("}")
        name, _, labels = head.partition("{") if brace else line.partition(" ")
        values = tail.split() if brace else line.split()[1:]  # a timestamp may follow the value
        try:
            value = float(values[0])
        except (IndexError, ValueError):
            continue
        if isfinite(value):
            yield name, labels, value
