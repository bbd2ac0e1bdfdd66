"""Keeps what vLLM's parser of answers would build anew for every chat request.

vLLM 0.29 makes two parsers a request, and for each one regular expression per special token of the tokenizer: Tekken
has a thousand. On two slow cores that is 40 ms each time, on the one event loop that also passes on everybody else's
tokens. What is built follows from the parser's settings and the tokenizer alone, and neither changes while an engine
lives. `python -m bench.parsers` measures it.
"""

from collections.abc import Callable
from typing import Any

Build = Callable[[Any, Any], Any]


def kept(build: Build) -> Build:
    """The same function, called once for each pair of arguments (told apart by identity: they cannot be hashed)."""
    built: dict[tuple[int, int], tuple[Any, Any, Any]] = {}  # holds the arguments too, or an id might come again

    def build_once(config: Any, tokenizer: Any) -> Any:
        key = id(config), id(tokenizer)
        if key not in built:
            built[key] = config, tokenizer, build(config, tokenizer)
        return built[key][2]

    return build_once


def keep_built() -> None:
    """Have this process's vLLM keep it, from here on."""
    from vllm.parser.engine import streaming_parser_engine as engine

    engine._build_drop_info = kept(engine._build_drop_info)
