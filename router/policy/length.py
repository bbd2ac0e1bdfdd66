"""How many bytes make a token: learned from what engines counted, instead of asking a tokenizer.

One figure per model and class of text, an exponentially weighted mean over answers (after "token-budget pools", which
learn the same ratio per content type). Images are not estimated: their tokens follow from their size.
"""

from collections.abc import Mapping
from types import MappingProxyType

from router.policy.call import Call

# Under Tekken, before anything was learned; a wrong one is corrected within a few dozen answers.
START: Mapping[str, float] = MappingProxyType({"prose": 4.6, "code": 3.6, "mixed": 4.4, "nonlatin": 4.4})
DEFAULT = 4.0  # of a class that is not known
_LEARNING = 0.05  # weight of one answer: about the last twenty count
_LEAST_BYTES = 64  # shorter texts are mostly control tokens
_RANGE = (0.5, 16.0)  # bytes per token that any tokenizer gives; beyond it the engine counted something else


class Lengths:
    """What has been learned. One per router."""

    def __init__(self) -> None:
        self._ratios: dict[tuple[str, str], float] = {}

    def bytes_per_token(self, model: str, content: str) -> float:
        """The ratio for a text of class `content` under the tokenizer of `model`."""
        return self._ratios.get((model, content)) or START.get(content, DEFAULT)

    def learn(self, model: str, call: Call, prompt_tokens: int) -> None:
        """An engine of `model` counted `prompt_tokens` for the whole prompt of `call`."""
        if call.text_bytes < _LEAST_BYTES:
            return
        counted = prompt_tokens - call.image_tokens
        if counted <= 0 or not _RANGE[0] <= call.text_bytes / counted <= _RANGE[1]:
            return
        ratio = self.bytes_per_token(model, call.content)
        self._ratios[model, call.content] = ratio + _LEARNING * (call.text_bytes / counted - ratio)
