"""vLLM's metrics text."""

from hypothesis import given
from hypothesis import strategies as st

from router.protocol.engine_metrics import EngineMetrics, parse_metrics
from tests.effort import cpu_s

# Lines as vLLM 0.29 writes them, with two engine cores.
TEXT = b"""# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="a b} c"} 3.0
vllm:num_requests_running{engine="1",model_name="a b} c"} 2.0
vllm:num_requests_waiting{engine="0",model_name="m"} 1.0 1763800000
vllm:num_requests_waiting_by_reason{engine="0",model_name="m",reason="capacity"} 7.0
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.75
vllm:prompt_tokens_total{engine="0",model_name="m"} 1.5e+06
vllm:generation_tokens_total 42
vllm:prefix_cache_queries_total{engine="0",model_name="m"} 100.0
vllm:prefix_cache_hits_total{engine="0",model_name="m"} 60.0
vllm:num_preemptions_total{engine="0",model_name="m"} NaN
process_resident_memory_bytes 1.0e+09
"""


def test_series_of_all_engine_cores_are_added_up_and_the_fullest_cache_counts() -> None:
    assert EngineMetrics(
        running=5,
        waiting=1,
        kv_usage=0.75,
        prompt_tokens_total=1_500_000,
        generation_tokens_total=42,
        prefix_queries_total=100,
        prefix_hits_total=60,
        preemptions_total=None,
    ) == parse_metrics(TEXT)


def test_the_size_of_the_cache_and_the_adapters_stand_in_labels() -> None:
    text = (
        b'vllm:cache_config_info{block_size="16",engine="0",num_gpu_blocks="100",other="None"} 1.0\n'
        b'vllm:cache_config_info{block_size="16",engine="1",num_gpu_blocks="50"} 1.0\n'
        b'vllm:lora_requests_info{max_lora="4",running_lora_adapters="old",waiting_lora_adapters=""} 1.0\n'
        b'vllm:lora_requests_info{max_lora="4",running_lora_adapters="a, b",waiting_lora_adapters="c"} 2.0\n'
    )
    assert EngineMetrics(cache_tokens=2_400, adapters=frozenset("abc")) == parse_metrics(text)


def test_a_cache_that_has_no_size_yet_is_not_known() -> None:
    text = b'vllm:cache_config_info{block_size="16",num_gpu_blocks="None"} 1.0\nvllm:cache_config_info 1.0\n'
    assert EngineMetrics() == parse_metrics(text)


def test_an_engine_that_exports_nothing_is_unknown_not_idle() -> None:
    assert EngineMetrics() == parse_metrics(b"python_info 1.0\n")


def test_labels_without_values_do_not_hold_up_the_router() -> None:
    text = b"vllm:cache_config_info{" + b"a" * 50_000 + b"} 1\n"
    assert cpu_s(lambda: parse_metrics(text)) < 0.5


def test_lines_that_cannot_be_read_are_left_out() -> None:
    assert EngineMetrics(running=1) == parse_metrics(
        b'vllm:num_requests_running{engine="0"}\nvllm:num_requests_running x\nvllm:num_requests_running 1\n\xff'
    )


@given(text=st.binary() | st.binary().map(lambda tail: b"vllm:num_requests_running" + tail))
def test_no_text_breaks_the_parser(text: bytes) -> None:
    assert isinstance(parse_metrics(text), EngineMetrics)
