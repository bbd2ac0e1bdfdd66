"""Figures beside what foretells them: memory by `serving.memory`, time by the engine simulator's hardware. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.physics.hardware import Hardware
from serving.memory import GIB, Footprint


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `foretold` is None where nothing foretells it."""

    what: str
    unit: str
    measured: float
    foretold: float | None = None


def line(row: Row) -> str:
    """One line of the table."""
    digits = 0 if row.unit.startswith("tokens") else 2
    foretold, ratio = "–", "–"
    if row.foretold:
        foretold, ratio = f"{row.foretold:,.{digits}f}", f"{row.measured / row.foretold:.2f}"
    return f"| {row.what} | {row.unit} | {row.measured:,.{digits}f} | {foretold} | {ratio} |"


def memory_rows(logged: Mapping[str, float], need: Footprint, kv_bytes_per_token: float) -> list[Row]:
    """Memory of one card beside `serving.memory`, which keeps one sum for all but weights and cache."""
    room = need.available - need.weights - need.overhead
    rows = [
        Row("memory of the card", "GiB", logged.get("card_gib", 0.0)),
        Row("of it the engine may use", "GiB", logged.get("usable_gib", 0.0), need.available),
        Row("weights", "GiB", logged.get("weights_gib", 0.0), need.weights),
        Row("KV cache", "GiB", logged.get("kv_gib", 0.0), room),
        Row("KV cache", "tokens", logged.get("kv_tokens", 0.0), room * GIB / kv_bytes_per_token),
    ]
    if {"usable_gib", "weights_gib", "kv_gib"} <= logged.keys():
        rest = logged["usable_gib"] - logged["weights_gib"] - logged["kv_gib"]
        rows.append(Row("neither weights nor cache", "GiB", rest, need.overhead))
    for name, what in (
        ("activations_gib", "of it activations at their peak, with room for graphs"),
        ("graphs_gib", "CUDA graphs as captured"),
    ):
        if name in logged:
            rows.append(Row(what, "GiB", logged[name]))
    return rows


def first_token_s(card: Hardware, prompt: int, cached: int, budget: int) -> float:
    """Seconds that the simulator's hardware takes for a prompt alone, of which `cached` tokens are in the cache."""
    total, past = 0.0, min(cached, prompt - 1)
    while past < prompt:
        now = min(budget, prompt - past)
        total += card.step.seconds([(now, past)], 0, 0)
        past += now
    return total
