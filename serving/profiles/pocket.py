"""The pocket model: Mistral Small 3.1's architecture in miniature, trained, for a machine without a card.

Its weights lie in the repository; its shape is read from the `params.json` beside them.
"""

from pathlib import Path
from types import MappingProxyType

from serving.profiles.base import Preset, Profile, by_name

WEIGHTS = Path(__file__).resolve().parent.parent / "pocket" / "weights"

PROFILE = Profile(
    name="pocket",
    model_id="tramontane/pocket",
    source=str(WEIGHTS),
    architecture=None,
    images_per_request=4,
    tool_parser="mistral",
    sampling=MappingProxyType({}),
    engine=MappingProxyType({"tokenizer_mode": "mistral", "config_format": "mistral", "load_format": "mistral"}),
    presets=by_name(
        Preset(
            name="cpu",
            cards_per_node=8,
            tensor_parallel_size=1,
            max_model_len=4096,
            max_num_batched_tokens=2048,
            engine=MappingProxyType(
                {
                    "enforce_eager": True,  # compiling takes longer than everything a small model ever computes
                    "max_num_seqs": 32,
                }
            ),
            environment=MappingProxyType(
                {
                    "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB; far more than the longest context of a small model
                    "VLLM_CPU_OMP_THREADS_BIND": "nobind",  # replicas share the cores; pinning would stack them
                    "HF_HUB_OFFLINE": "1",  # the weights are on disk; never ask the network about them
                }
            ),
        ),
    ),
)
