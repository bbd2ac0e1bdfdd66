"""What vLLM's parsers of answers cost a chat request, as they come and with `serving.parsers`.

`python -m bench.parsers`, on the pocket model's tokenizer, which has as many special tokens as the large model's.
Needs vLLM; a few seconds.
"""

import argparse
import statistics
import time

from serving.parsers import Build, kept
from serving.profiles.pocket import WEIGHTS

PARSERS_A_REQUEST = 2  # one looks at the request, one reads the answer


def milliseconds(build: Build, config: object, tokenizer: object, rounds: int) -> list[float]:
    """CPU time of each request's parsers."""
    found = []
    for _ in range(rounds):
        started = time.process_time()
        for _ in range(PARSERS_A_REQUEST):
            build(config, tokenizer)
        found.append((time.process_time() - started) * 1000)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.parsers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="requests to measure (default: %(default)s)")
    rounds = parser.parse_args().rounds

    from vllm.parser.engine.streaming_parser_engine import _build_drop_info
    from vllm.parser.mistral import mistral_config
    from vllm.tokenizers.mistral import MistralTokenizer

    tokenizer = MistralTokenizer.from_pretrained(str(WEIGHTS))
    config = mistral_config(reasoning_encoding="none")
    ways: dict[str, Build] = {"as it comes": _build_drop_info, "kept": kept(_build_drop_info)}
    print(f"{len(tokenizer.all_special_tokens)} special tokens; CPU ms a request, {rounds} requests\n")
    print("| parsers | first | median of the others |\n|---|---|---|")
    for name, build in ways.items():
        first, *others = milliseconds(build, config, tokenizer, rounds)
        print(f"| {name} | {first:.1f} | {statistics.median(others):.3f} |")


if __name__ == "__main__":
    main()
