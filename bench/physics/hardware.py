"""How long one step of an engine takes, by GPU kind: Mistral Small 3.1 24B in bf16.

    step = lin(m) + c0 + perseq*B + perctx*context + sum(pertok*q + perqk*q*(past + q/2)) + 1 ms + 0.01 ms * B

m: tokens in the step; B: decoding sequences, context: tokens they hold (c0 only where B > 0); q, past: tokens of a
prefill chunk and before it. The coefficients (`mistral24b.json`) are sums of measured kernels; the last two terms are
the scheduler's CPU time. The method foretells 15,899 prompt tokens/s for Qwen3-32B on two H100; llm-d measured 15,928.
"""

import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

PATCH = 14  # pixels on a side of the vision encoder's patch
CPU_MS = 1.0  # of the scheduler, each step
CPU_MS_PER_DECODE = 0.01
KINDS = ("h100", "h200", "a100")


class Curve:
    """Straight lines between measured points; constant below the first, and beyond the last as between the last two."""

    def __init__(self, points: Mapping[int, float]) -> None:
        """`points`: at least two, at whole numbers from 0."""
        self._at = sorted(points)
        self._values = [points[at] for at in self._at]
        self._table = [self._between(at) for at in range(self._at[-1] + 1)]

    def __call__(self, at: int) -> float:
        return self._table[at] if at < len(self._table) else self._between(at)

    def _between(self, at: int) -> float:
        if at <= self._at[0]:
            return self._values[0]
        right = min(bisect_right(self._at, at), len(self._at) - 1)
        x0, x1, y0, y1 = self._at[right - 1], self._at[right], self._values[right - 1], self._values[right]
        return y0 + (y1 - y0) * (at - x0) / (x1 - x0)


@dataclass(frozen=True, slots=True)
class StepTime:
    """The formula above. Coefficients in milliseconds."""

    lin: Curve  # by tokens in the step
    c0: float
    perseq: float
    perctx: float
    pertok: float
    perqk: float
    image: Curve  # by patches of one image

    def seconds(self, chunks: Iterable[tuple[int, int]], decodes: int, context: int) -> float:
        """One step. `chunks`: prefills as (tokens now, before); `decodes`: sequences; `context`: their tokens."""
        tokens, attention = decodes, 0.0
        for now, past in chunks:
            tokens += now
            attention += self.pertok * now + self.perqk * now * (past + now / 2)
        if decodes:
            attention += self.c0 + self.perseq * decodes + self.perctx * context
        return (self.lin(tokens) + attention + CPU_MS + CPU_MS_PER_DECODE * decodes) / 1000

    def image_seconds(self, width: int, height: int) -> float:
        """Encoding one image of that size in pixels, as the engine sees it. Measured on H100, used for every kind."""
        return self.image(-(-width // PATCH) * -(-height // PATCH)) / 1000


@dataclass(frozen=True, slots=True)
class Hardware:
    """What one engine replica runs on."""

    name: str  # e.g. "h200-tp1"
    gpus: int
    kv_tokens: int  # room for KV, in tokens, at 90 % of the memory
    step: StepTime

    def peak_rate(self, chunk: int) -> float:
        """Prompt tokens/s of an idle engine with that `max_num_batched_tokens`: B/T(B), as llm-d calibrates it."""
        return chunk / self.step.seconds([(chunk, 0)], 0, 0)


def hardware(kind: str, tp: int = 1) -> Hardware:
    """`kind`: one of KINDS; `tp`: GPUs of one replica, 1 or 2. Raises ValueError for what was not measured."""
    data = _measured()
    name = f"{kind}-tp{tp}"
    if name not in data["hardware"]:
        raise ValueError(f"hardware must be one of {', '.join(sorted(data['hardware']))}, got {name}")
    row = data["hardware"][name]
    image = {0: 0.0} | {int(at): ms for at, ms in data["image_ms"].items()}
    lin = {int(at): ms for at, ms in row["lin_ms"].items()}
    step = StepTime(lin=Curve(lin), image=Curve(image), **row["dec_attn"], **row["pf_attn"])
    return Hardware(name, tp, row["kv_tokens"], step)


def _measured() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(files(__package__).joinpath("mistral24b.json").read_text())
    return data
