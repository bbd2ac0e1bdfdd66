import json
from pathlib import Path
from random import Random

import pytest

from bench.engine_on_gpu import foretell, options
from bench.on_gpu.client import Answer, counted, picture
from bench.on_gpu.random_weights import PICTURE_PIXELS, random_weights
from bench.on_gpu.rows import Row, first_token_s, line, memory_rows
from bench.on_gpu.server import flags, said
from bench.physics.hardware import hardware
from serving import architecture
from serving.config import from_args
from serving.engine import resolve
from serving.profiles import find

LOG = """\
(EngineCore pid=782) INFO 11-26 13:11:37 [model_runner.py:404] Model loading took 44.76 GiB memory and 3.328508 seconds
(EngineCore pid=782) INFO 11-26 13:12:05 [monitor.py:53] torch.compile took 23.20 s in total
(EngineCore pid=782) INFO 11-26 13:12:14 [model_runner.py:960] Graph capturing finished in 5 secs, took 0.73 GiB
(EngineCore pid=782) INFO 11-26 13:12:14 [gpu_worker.py:625] Available KV cache memory: 81.48 GiB
(EngineCore pid=782) INFO 11-26 13:12:14 [kv_cache_utils.py:2032] GPU KV cache size: 533,952 tokens, Maximum concurrency
(EngineCore pid=782) INFO 11-26 13:12:24 [model_runner.py:960] Graph capturing finished in 8 secs, took 0.53 GiB
(EngineCore pid=782) INFO 11-26 13:12:24 [gpu_worker.py:860] Free memory on device (139.29/139.8 GiB) on startup. \
Desired GPU memory utilization is (0.92, 128.62 GiB). Actual usage is 45.6 GiB for consumed memory \
(weights + non-torch), 1.54 GiB for peak activation, and 0.53 GiB for CUDAGraph memory. Replace gpu_memory_utilization
"""
METRICS = """\
# TYPE vllm:request_prefill_time_seconds histogram
vllm:request_prefill_time_seconds_bucket{engine="0",le="0.3",model_name="m"} 1.0
vllm:request_prefill_time_seconds_count{engine="0",model_name="m"} 2.0
vllm:request_prefill_time_seconds_sum{engine="0",model_name="m"} 0.5
vllm:request_prefill_time_seconds_sum{engine="1",model_name="m"} 2.5e-1
"""


def test_the_log_tells_memory_and_its_last_word_counts() -> None:
    told = said(LOG)
    assert (44.76, 81.48, 533_952, 139.8, 128.62) == tuple(
        told[name] for name in ("weights_gib", "kv_gib", "kv_tokens", "card_gib", "usable_gib")
    )
    assert (45.6, 1.54, 0.53, 23.2) == tuple(
        told[name] for name in ("consumed_gib", "activations_gib", "graphs_gib", "compile_s")
    )
    assert {} == said("nothing of the kind")


def test_arguments_become_the_servers_command_line() -> None:
    given = {"dtype": "bfloat16", "enable_prefix_caching": True, "enforce_eager": False, "max_model_len": 4096}
    expected = ["--dtype", "bfloat16", "--enable-prefix-caching", "--no-enforce-eager", "--max-model-len", "4096"]
    assert expected == flags(given)
    assert ["--limit-mm-per-prompt", '{"image": 10}'] == flags({"limit_mm_per_prompt": {"image": 10}})


def test_memory_stands_beside_what_is_foretold() -> None:
    deployment = from_args({"model": "mistral-small-3.1-24b", "preset": "h200"})
    shape = find("mistral-small-3.1-24b", "h200")[0].architecture
    assert shape is not None
    foretold = foretell(deployment, resolve(deployment), shape)
    assert foretold is not None
    rows = {(row.what, row.unit): row for row in memory_rows(said(LOG), *foretold)}
    rest = rows["neither weights nor cache", "GiB"]
    assert rest.measured == pytest.approx(128.62 - 44.76 - 81.48)
    assert rest.foretold == foretold[0].overhead
    tokens = rows["KV cache", "tokens"]
    assert tokens.foretold == pytest.approx(tokens.measured, rel=0.1)


def test_without_a_card_no_memory_is_foretold() -> None:
    deployment = from_args({"model": "pocket", "preset": "cpu"})
    engine = resolve(deployment)
    assert foretell(deployment, engine, architecture.read(engine.source)) is None


def test_a_prompt_is_computed_in_the_engines_steps_and_what_is_cached_is_not() -> None:
    card = hardware("h200")
    assert first_token_s(card, 2048, 0, 2048) == card.step.seconds([(2048, 0)], 0, 0)
    assert first_token_s(card, 3000, 0, 2048) == (
        card.step.seconds([(2048, 0)], 0, 0) + card.step.seconds([(952, 2048)], 0, 0)
    )
    assert first_token_s(card, 3000, 2992, 2048) == card.step.seconds([(8, 2992)], 0, 0)
    assert first_token_s(card, 3000, 3000, 2048) == card.step.seconds([(1, 2999)], 0, 0)


def test_a_series_is_summed_over_engines() -> None:
    assert 0.75 == counted(METRICS, "request_prefill_time_seconds_sum")
    assert 2.0 == counted(METRICS, "request_prefill_time_seconds_count")
    assert 0.0 == counted(METRICS, "request_queue_time_seconds_sum")


def test_tokens_that_came_together_with_the_first_took_no_time_of_their_own() -> None:
    assert 0.25 == Answer(1.0, 3.0, first_tokens=1, tokens=9, prompt_tokens=5, cached_tokens=0).per_token_s
    assert 0.5 == Answer(1.0, 3.0, first_tokens=5, tokens=9, prompt_tokens=5, cached_tokens=0).per_token_s
    assert 0.0 == Answer(1.0, 1.0, first_tokens=1, tokens=1, prompt_tokens=5, cached_tokens=0).per_token_s


def test_random_weights_have_the_profiles_shape_and_its_tokenizer_sees_pictures(tmp_path: Path) -> None:
    shape = find("mistral-small-3.1-24b", "h200")[0].architecture
    assert shape is not None
    random_weights(shape, tmp_path)
    assert shape == architecture.read(str(tmp_path))
    tokenizer = json.loads((tmp_path / "tekken.json").read_bytes())
    assert shape.vocabulary == tokenizer["config"]["default_vocab_size"]
    assert PICTURE_PIXELS == tokenizer["image"]["max_image_size"]


def test_every_picture_is_another() -> None:
    rng = Random(1)
    assert picture(56, rng) != picture(56, rng)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (Row("KV cache", "tokens", 533_952.0, 527_194.0), "| KV cache | tokens | 533,952 | 527,194 | 1.01 |"),
        (Row("a token", "ms", 12.444, 14.0), "| a token | ms | 12.44 | 14.00 | 0.89 |"),
        (Row("start to healthy", "s", 135.7), "| start to healthy | s | 135.70 | – | – |"),
    ],
)
def test_a_row_tells_by_how_much_they_differ(row: Row, expected: str) -> None:
    assert expected == line(row)


def test_lists_of_numbers_are_read() -> None:
    asked = options(["--preset", "h200", "--streams", "1,8", "--engine", '{"enforce_eager": true}'])
    assert ((1, 8), {"enforce_eager": True}) == (asked.streams, asked.engine)
