"""vLLM's routes in front of one engine, from its start to its end."""

import asyncio
import random
import time
from array import array
from collections.abc import Callable
from typing import Any

import msgspec

from bench.physics.engine import Image, Job
from bench.simulator.answer import answer_to, check_length
from bench.simulator.ask import ChatAsk, Refused, TextAsk, bad_request, read_chat, read_text, read_tokenize
from bench.simulator.faults import Fault, Kind
from bench.simulator.http import TEXT, Exchange
from bench.simulator.kv_events import AllBlocksCleared, Publisher
from bench.simulator.live import Live
from bench.simulator.metrics import Metrics
from bench.simulator.prompt import Picture, Prompt, block_names
from bench.simulator.settings import SimulatorSettings
from bench.simulator.stream import PromptCounts, Stream
from bench.simulator.tokenizer import Tokenizer
from bench.simulator.wire import VERSION, Writer
from bench.simulator.words import Words

NO_HTTP = b"\x16\x03\x01 this is no HTTP\r\n\r\n"


class Service:
    """One engine. It begins with an empty cache.

    Args:
        settings: how the engine is to be.
        tokenizer: may be shared.
        words: of the answers; the same.
        host: an IPv4 address of this machine, for KV-cache events.
        loop: whose time is real time.
        draw_fault: which fault strikes the next request for a completion, if one does.
    """

    def __init__(
        self,
        settings: SimulatorSettings,
        tokenizer: Tokenizer,
        words: Words,
        *,
        host: str,
        loop: asyncio.AbstractEventLoop,
        draw_fault: Callable[[], Fault | None],
    ) -> None:
        self._settings = settings
        self._tokenizer = tokenizer
        self._words = words
        self._context = settings.context
        self._draw_fault = draw_fault
        self._metrics = Metrics()
        self._publisher: Publisher | None = None
        if settings.kv_events:
            self._publisher = Publisher(host, replay_steps=settings.replay_steps)
            self._publisher.serve_replays(loop)
        self.live = Live(
            settings.new_engine(),
            loop,
            time_scale=settings.time_scale,
            metrics=self._metrics,
            publish=None if self._publisher is None else self._publisher.publish,
        )
        self.served = 0
        self._routes: dict[tuple[str, str], Callable[[Exchange], None]] = {
            ("POST", "/v1/chat/completions"): lambda exchange: self._complete(exchange, read_chat(exchange.body)),
            ("POST", "/v1/completions"): lambda exchange: self._complete(exchange, read_text(exchange.body)),
            ("POST", "/v1/chat/completions/render"): self._render,
            ("POST", "/tokenize"): self._tokenize,
            ("POST", "/reset_prefix_cache"): self._reset_cache,
            ("GET", "/metrics"): lambda exchange: exchange.answer(200, self._page(), TEXT),
            ("GET", "/v1/models"): lambda exchange: _json(exchange, self._models()),
            ("GET", "/version"): lambda exchange: _json(exchange, {"version": VERSION}),
            ("GET", "/health"): lambda exchange: exchange.answer(200, b""),
            ("GET", "/kv_event_sources"): lambda exchange: _json(exchange, self.event_sources()),
        }

    def close(self) -> None:
        """Stop. Answers under way are left as they are."""
        self.live.stop()
        if self._publisher is not None:
            self._publisher.close()

    @property
    def generated_tokens(self) -> int:
        """As its metrics count them."""
        return self._metrics.generated

    def event_sources(self) -> list[dict[str, Any]]:
        """Where KV-cache events are published; none where they are off."""
        return [] if self._publisher is None else self._publisher.sources()

    def handle(self, exchange: Exchange) -> None:
        """Answer, now or when the engine has."""
        route = self._routes.get((exchange.method, exchange.target.partition("?")[0]))
        if route is None:
            exchange.answer(404, b'{"detail":"Not Found"}')
            return
        try:
            route(exchange)
        except Refused as refused:
            exchange.answer(refused.status, refused.body)

    def _complete(self, exchange: Exchange, ask: ChatAsk | TextAsk) -> None:
        fault = self._draw_fault()
        if fault is not None and _instead(exchange, fault):
            return
        self._check(ask)
        prompt = self._prompt(ask)
        check_length(prompt, ask, self._context)
        settings = self._settings
        answer = answer_to(
            prompt, ask, self._words, context=self._context, median=settings.answer_tokens, seed=settings.seed
        )
        self.served += 1
        job_id = self.served
        is_chat = isinstance(ask, ChatAsk)
        writer = Writer(
            is_chat=is_chat,
            answer_id=("chatcmpl-" if is_chat else "cmpl-") + (ask.request_id or f"{random.getrandbits(128):032x}"),
            created=int(time.time()),
            model=settings.model,
            prompt_ids=prompt.ids.tolist() if ask.return_token_ids else None,
        )
        ids = prompt.ids + answer.ids
        job = Job(
            job_id,
            len(prompt.ids),
            len(answer.words),
            hashes=block_names(ids, prompt.pictures, settings.engine.block_size, ask.cache_salt or ""),
            images=tuple(map(_image, prompt.pictures)),
            priority=ask.priority or 0,
        )
        stream = Stream(
            exchange,
            writer,
            answer,
            is_stream=bool(ask.stream),
            has_usage=ask.has_usage_chunk,
            prompt=PromptCounts(
                len(prompt.ids),
                len(prompt.ids) // settings.engine.block_size * settings.engine.block_size,
                sum(picture.tokens for picture in prompt.pictures),
                is_chat,
            ),
            fault=fault,
            on_over=lambda: self.live.abort(job_id),
        )
        if exchange.is_open:
            self._metrics.asked(len(prompt.ids), (picture.identifier for picture in prompt.pictures))
            self.live.submit(job, stream, ids, prompt.pictures, ask.cache_salt or "")

    def _check(self, ask: ChatAsk | TextAsk) -> None:
        self._check_model(ask.model)
        if ask.n not in (None, 1):
            least = "n must be at least 1, got " if ask.n < 1 else "the simulator gives one choice: n must be 1, got "
            raise bad_request(f"{least}{ask.n}.")

    def _check_model(self, model: str | None) -> None:
        if model and model != self._settings.model:
            raise Refused(404, "NotFoundError", f"The model `{model}` does not exist.", "model")

    def _prompt(self, ask: ChatAsk | TextAsk) -> Prompt:
        if isinstance(ask, ChatAsk):
            return self._tokenizer.chat(ask.messages, goes_on=bool(ask.continue_final_message))
        return _text_prompt(ask.prompt, self._tokenizer)

    def _render(self, exchange: Exchange) -> None:
        ask = read_chat(exchange.body)
        self._check_model(ask.model)
        prompt = self._prompt(ask)
        features = None
        if prompt.pictures:
            places = [{"offset": each.at, "length": each.tokens} for each in prompt.pictures]
            features = {
                "mm_hashes": {"image": [each.identifier for each in prompt.pictures]},
                "mm_placeholders": {"image": places},
            }
        _json(
            exchange,
            {
                "request_id": f"chatcmpl-{ask.request_id or f'{random.getrandbits(128):032x}'}",
                "token_ids": prompt.ids.tolist(),
                "features": features,
                "sampling_params": {"max_tokens": ask.limit or self._context - len(prompt.ids)},
                "model": self._settings.model,
                "stream": bool(ask.stream),
            },
        )

    def _tokenize(self, exchange: Exchange) -> None:
        ask = read_tokenize(exchange.body)
        self._check_model(ask.model)
        if ask.messages is not None:
            prompt = self._tokenizer.chat(ask.messages, goes_on=bool(ask.continue_final_message))
        else:
            prompt = self._tokenizer.text(ask.prompt or "")
        ids = prompt.ids.tolist()
        _json(exchange, {"count": len(ids), "max_model_len": self._context, "tokens": ids, "token_strs": None})

    def _reset_cache(self, exchange: Exchange) -> None:
        if not self.live.engine.reset_prefix_cache():
            raise Refused(500, "InternalServerError", "requests are running")
        if self._publisher is not None:
            self._publisher.publish([AllBlocksCleared()])
        exchange.answer(200, b"")

    def _page(self) -> bytes:
        return self._metrics.page(self.live.engine, self._settings.model)

    def _models(self) -> dict[str, Any]:
        card = {
            "id": self._settings.model,
            "object": "model",
            "created": int(time.time()),
            "owned_by": "vllm",
            "root": self._settings.model,
            "parent": None,
            "max_model_len": self._context,
            "permission": [],
        }
        return {"object": "list", "data": [card]}


def _instead(exchange: Exchange, fault: Fault) -> bool:
    """Let the fault happen in place of an answer, if it is one of those."""
    if fault.kind is Kind.RESET:
        exchange.reset()
    elif fault.kind is Kind.ERROR:
        raise Refused(500, "InternalServerError", "Internal server error")
    elif fault.kind is Kind.BUSY:
        busy = Refused(503, "ServiceUnavailableError", "The engine is overloaded")
        exchange.answer(503, busy.body, retry_after=str(fault.retry_after_s))
    elif fault.kind is Kind.GARBAGE and not fault.after_tokens:
        exchange.write(NO_HTTP)
        exchange.close()
    else:
        return False
    return True


def _text_prompt(prompt: str | list[str | int | list[int]], tokenizer: Tokenizer) -> Prompt:
    if isinstance(prompt, list) and len(prompt) == 1 and not isinstance(prompt[0], int):
        prompt = prompt[0]  # type: ignore[assignment]  # mypy does not see that a list of lists holds integers
    if isinstance(prompt, str):
        return tokenizer.text(prompt)
    ids = [item for item in prompt if isinstance(item, int)]
    if not ids or len(ids) < len(prompt):
        raise bad_request("the simulator takes one prompt: a text, or token ids", "prompt")
    if not all(0 <= token_id < 2**31 for token_id in ids):
        raise bad_request("token ids must be from 0 to 2147483647", "prompt")
    return Prompt(array("I", ids))


def _image(picture: Picture) -> Image:
    return Image(picture.at, picture.tokens, picture.width, picture.height, hash(picture.identifier))


def _json(exchange: Exchange, value: object) -> None:
    exchange.answer(200, msgspec.json.encode(value))
