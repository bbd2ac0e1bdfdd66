"""An engine's `/metrics` page, with vLLM V1's names: what routers and dashboards read, not all that vLLM tells."""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable

from bench.physics.engine import Engine

_BUCKETS_S = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0,
    160.0, 640.0, 2560.0,
)  # fmt: skip
_REASONS = ("stop", "length", "abort", "error", "repetition")
_PICTURES = 2_048  # that the processor's cache holds; vLLM's bound is 4 GiB


class Metrics:
    """Counts what the engine's physics does not."""

    def __init__(self) -> None:
        self.generated = 0  # tokens
        self.prompt_tokens = 0
        self._finished = dict.fromkeys(_REASONS, 0)
        self._first_tokens = [0] * (len(_BUCKETS_S) + 1)
        self._first_tokens_s = 0.0
        self._pictures: OrderedDict[str, None] = OrderedDict()
        self._picture_queries = 0
        self._picture_hits = 0

    def asked(self, prompt_tokens: int, pictures: Iterable[str]) -> None:
        """A request was taken; `pictures`: identifiers."""
        self.prompt_tokens += prompt_tokens
        for identifier in pictures:
            self._picture_queries += 1
            if identifier in self._pictures:
                self._picture_hits += 1
                self._pictures.move_to_end(identifier)
            else:
                self._pictures[identifier] = None
                if len(self._pictures) > _PICTURES:
                    self._pictures.popitem(last=False)

    def first_token(self, after_s: float) -> None:
        """A request had its first token that long after it came, in real seconds."""
        self._first_tokens[bisect_left(_BUCKETS_S, after_s)] += 1
        self._first_tokens_s += after_s

    def finished(self, reason: str) -> None:
        """A request is over: `stop`, `length` or `abort`."""
        self._finished[reason] += 1

    def page(self, engine: Engine, model: str) -> bytes:
        """The page now."""
        labels = f'engine="0",model_name="{model}"'
        lines: list[str] = []

        def say(name: str, kind: str, value: float, more: str = "") -> None:
            lines.append(f"# TYPE vllm:{name} {kind}")
            lines.append(f"vllm:{name}{{{labels}{more}}} {float(value)}")

        say("num_requests_running", "gauge", engine.running)
        say("num_requests_waiting", "gauge", engine.waiting)
        say("kv_cache_usage_perc", "gauge", engine.kv_usage)
        say("prefix_cache_queries_total", "counter", engine.queried_tokens)
        say("prefix_cache_hits_total", "counter", engine.hit_tokens)
        say("mm_cache_queries_total", "counter", self._picture_queries)
        say("mm_cache_hits_total", "counter", self._picture_hits)
        say("num_preemptions_total", "counter", engine.preemptions)
        say("prompt_tokens_total", "counter", self.prompt_tokens)
        say("prompt_tokens_cached_total", "counter", engine.hit_tokens)
        say("generation_tokens_total", "counter", self.generated)
        lines.append("# TYPE vllm:request_success_total counter")
        for reason, count in self._finished.items():
            lines.append(f'vllm:request_success_total{{{labels},finished_reason="{reason}"}} {float(count)}')
        lines.append("# TYPE vllm:cache_config_info gauge")
        size, blocks = engine.settings.block_size, engine.pool.count
        caching = engine.settings.prefix_caching
        lines.append(
            f'vllm:cache_config_info{{block_size="{size}",enable_prefix_caching="{caching}",engine="0",'
            f'num_gpu_blocks="{blocks}"}} 1.0'
        )
        lines += self._histogram(labels)
        return "\n".join([*lines, ""]).encode()

    def _histogram(self, labels: str) -> list[str]:
        name = "vllm:time_to_first_token_seconds"
        lines = [f"# TYPE {name} histogram"]
        total = 0
        for edge, count in zip([*map(str, _BUCKETS_S), "+Inf"], self._first_tokens, strict=True):
            total += count
            lines.append(f'{name}_bucket{{{labels},le="{edge}"}} {float(total)}')
        return [*lines, f"{name}_count{{{labels}}} {float(total)}", f"{name}_sum{{{labels}}} {self._first_tokens_s}"]
