"""An answer as it streams: pieces of text first, then what it took."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from deploy.problem import Problem


class Answer:
    """A streamed answer: iterate once for the pieces of text; the figures are there when that is over."""

    def __init__(self, lines: Iterator[bytes], asked_at: float, clock: Callable[[], float]) -> None:
        """Take a stream whose head is there; `asked_at` is the clock's time just before the question was sent."""
        self._lines = lines
        self._asked_at = asked_at
        self._clock = clock
        self.first_token_s: float | None = None  # from asking
        self.last_token_s: float | None = None
        self.finish_reason: str | None = None
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self.cost_usd = 0.0
        self.text = ""

    def __iter__(self) -> Iterator[str]:
        """Pieces of the answer's text as they come.

        Raises:
            Problem: the router reports an error in the stream, or the stream ends before the answer does.
        """
        for line in self._lines:
            name, _, value = line.strip().partition(b":")
            if name != b"data":
                continue
            if value.strip() == b"[DONE]":
                return
            piece = self._take(json.loads(value))
            if piece:
                yield piece
        raise Problem("the answer broke off: the connection ended before the stream did; see the router's log")

    def _take(self, event: Mapping[str, Any]) -> str:
        if "error" in event:
            raise Problem(f"the answer broke off: {event['error'].get('message', event['error'])}")
        usage = event.get("usage")
        if usage:
            self.prompt_tokens = usage["prompt_tokens"]
            self.completion_tokens = usage["completion_tokens"]
            self.cost_usd = usage.get("cost") or 0.0
        choice: Mapping[str, Any] = next(iter(event.get("choices", ())), {})
        self.finish_reason = choice.get("finish_reason") or self.finish_reason
        piece: str = choice.get("delta", {}).get("content") or ""
        if piece:
            self.last_token_s = self._clock() - self._asked_at
            if self.first_token_s is None:
                self.first_token_s = self.last_token_s
        self.text += piece
        return piece

    @property
    def tokens_per_s(self) -> float | None:
        """Tokens over the time from asking to the last of them; None for an answer without any.

        The wait for the first is counted too: tokens that arrive together have no measurable time between them.
        """
        return self.completion_tokens / self.last_token_s if self.last_token_s else None
