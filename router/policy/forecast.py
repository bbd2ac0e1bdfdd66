"""When the first token will come: predicted per endpoint, and corrected by what happened.

    predicted = (overhead + (P + new) / R) · bias

P is what is queued there, `new` what this prompt adds, R how many prompt tokens the engine computes per second. The
bias is an exponentially weighted mean of actual to predicted, per endpoint, so an engine that is slow, or busy in ways
that the ledger does not see, is believed to be slow. After llm-d's calibrated token gate and its online correction.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from router.policy.catalog import EndpointId


@dataclass(frozen=True, slots=True)
class ForecastSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    # prompt tokens per second of one replica, from a calibration; null: learned, starting from one H100 with a 24B
    # model (routing needs their ratio to each other only, shedding needs the figure itself)
    prefill_tokens_per_s: float | None = None
    overhead_s: float = 0.03  # of any request: reading it, one step of the batch, the way back
    learning: float = 0.05  # weight of one answer in the bias: about the last twenty count

    def __post_init__(self) -> None:
        if self.prefill_tokens_per_s is not None and not self.prefill_tokens_per_s > 0:
            raise ValueError(f"prefill_tokens_per_s must be above 0, got {self.prefill_tokens_per_s}")
        if not self.overhead_s >= 0:
            raise ValueError(f"overhead_s must not be negative, got {self.overhead_s}")
        if not 0 < self.learning <= 1:
            raise ValueError(f"learning must be above 0 and at most 1, got {self.learning}")


START_RATE = 16_000.0  # prompt tokens per second: one H100, 24 billion parameters in 16 bits
_RATE_LEARNING = 0.01  # weight of one answer: about the last hundred count
_LEAST_TOKENS = 1_000  # fewer say nothing of the rate: the overhead is most of their time
_RATIO = (0.2, 5.0)  # of actual to predicted that one answer may claim: one stall must not be believed for a minute
_BIAS = (0.05, 50.0)


class Forecast:
    """The rate of one pool's replicas, which are alike, and the bias of each.

    One rate for all: if each had its own, those that were slow by chance would be shunned, and it costs 6 to 15 of a
    hundred requests to be so choosy. A replica that is truly slow shows in its bias, and in what stays queued there.
    """

    def __init__(self, settings: ForecastSettings) -> None:
        self._settings = settings
        self.rate = settings.prefill_tokens_per_s or START_RATE  # prompt tokens per second of one replica
        self._biases: dict[EndpointId, float] = {}

    def bias(self, endpoint_id: EndpointId) -> float:
        """Actual to predicted time, of late; 1 before anything was seen."""
        return self._biases.get(endpoint_id, 1.0)

    def times(
        self, endpoint_ids: Sequence[EndpointId], queued: Sequence[int], new: Sequence[int]
    ) -> tuple[list[float], list[float]]:
        """Seconds that a prompt waits to be begun at each of the endpoints, and seconds from there to its first token.

        Args:
            endpoint_ids: which endpoints.
            queued: tokens to be computed before it, at each.
            new: of its own tokens, how many are to be computed there.
        """
        get, overhead_s, rate = self._biases.get, self._settings.overhead_s, self.rate
        biases = [get(endpoint_id, 1.0) for endpoint_id in endpoint_ids]
        waits = [tokens / rate * bias for tokens, bias in zip(queued, biases, strict=True)]
        owns = [(overhead_s + tokens / rate) * bias for tokens, bias in zip(new, biases, strict=True)]
        return waits, owns

    def idle_s(self, tokens: int) -> float:
        """Seconds that a prompt of which nothing is cached takes on an idle endpoint."""
        return self._settings.overhead_s + tokens / self.rate

    def learn(self, endpoint_id: EndpointId, *, tokens: int, predicted_s: float, actual_s: float) -> None:
        """A first token has come: `tokens` were before it (queued and new), as it was predicted and as it was."""
        if predicted_s <= 0 or actual_s <= 0:
            return
        learning = self._settings.learning
        if self._settings.prefill_tokens_per_s is None and tokens >= _LEAST_TOKENS:
            seen = tokens / max(actual_s - self._settings.overhead_s, 0.5 * actual_s)
            self.rate += _RATE_LEARNING * (seen - self.rate)
        ratio = min(max(actual_s / predicted_s, _RATIO[0]), _RATIO[1])
        bias = self.bias(endpoint_id) * (1.0 + learning * (ratio - 1.0))
        self._biases[endpoint_id] = min(max(bias, _BIAS[0]), _BIAS[1])

    def forget(self, endpoint_id: EndpointId) -> None:
        """Drop an endpoint that has left."""
        self._biases.pop(endpoint_id, None)
