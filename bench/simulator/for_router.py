"""What a router should know of simulated engines: its settings in their units.

Times in a router's settings are real seconds. Where the engines' time passes faster, everything that is a time, or a
rate over one, is given in theirs.
"""

from bench.simulator.settings import SimulatorSettings

_PRICE_PER_QUEUED_S = 3.0  # the router's defaults, for engines in real time
_OVERHEAD_S = 0.03


def routing(settings: SimulatorSettings) -> dict[str, object]:
    """The section `routing` of a router's configuration."""
    scale = settings.time_scale
    return {
        "forecast": {"prefill_tokens_per_s": round(peak_rate(settings) / scale), "overhead_s": _OVERHEAD_S * scale},
        "balancers": {"shadow_price": {"price_per_queued_s": _PRICE_PER_QUEUED_S / scale}},
    }


def peak_rate(settings: SimulatorSettings) -> float:
    """Prompt tokens per second of one idle engine, in its own time."""
    return settings.new_engine().hardware.peak_rate(settings.engine.max_num_batched_tokens)
