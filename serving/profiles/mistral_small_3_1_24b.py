"""Mistral Small 3.1 24B (Instruct, 2503): text and images in, text out, 131,072 tokens of context, Apache-2.0.

24.0 billion parameters (text 23.6, vision 0.4) are 44.7 GiB in bfloat16; one token's keys and values are 160 KiB, so
one full context is 20 GiB. An image of w x h pixels, scaled until its longer side is at most 1,540, becomes
ceil(h/28) x (ceil(w/28) + 1) tokens: 3,080 at most. Temperature 0.15 is the model card's advice.

Every preset computes 2,048 tokens per iteration, not vLLM's default for these cards of 8,192: an iteration that mixes
a large piece of prefill into the running streams delays the next token of all of them. A picture larger than that is
encoded whole and computed in two pieces.
"""

from types import MappingProxyType

from serving.architecture import Architecture, VisionTower
from serving.memory import Card
from serving.profiles.base import Preset, Profile, by_name

CONTEXT = 131_072
# Activations of 2,048 tokens and of the vision tower at 12,100 patches, CUDA graphs, driver, a sampler's workspace.
OVERHEAD_GIB = 4.0
MEASURED_GIB = 3.0  # on H200 and H100 it was 2.4 without that workspace (docs/engines.md)
UTILISATION = 0.92  # vLLM's own default of 0.92: what is left covers what other processes and the driver take

ARCHITECTURE = Architecture(
    width=5120,
    layers=40,
    heads=32,
    kv_heads=8,
    head_width=128,
    feed_forward_width=32_768,
    vocabulary=131_072,
    context=CONTEXT,
    vision=VisionTower(width=1024, layers=24, feed_forward_width=4096, patch_pixels=14, merge=2),
)


def _preset(
    name: str,
    accelerator_type: str | None,
    memory_gib: float,
    *,
    overhead_gib: float = OVERHEAD_GIB,
    tensor_parallel_size: int = 1,
    cards_per_node: int = 8,
) -> Preset:
    return Preset(
        name=name,
        accelerator_type=accelerator_type,
        card=Card(memory_gib=memory_gib, utilisation=UTILISATION, overhead_gib=overhead_gib),
        cards_per_node=cards_per_node,
        tensor_parallel_size=tensor_parallel_size,
        max_model_len=CONTEXT,
        max_num_batched_tokens=2048,
    )


PROFILE = Profile(
    name="mistral-small-3.1-24b",
    model_id="mistralai/mistral-small-3.1-24b-instruct",
    source="mistralai/Mistral-Small-3.1-24B-Instruct-2503",
    architecture=ARCHITECTURE,
    images_per_request=10,  # the model card's example; ten of the largest are 30,800 tokens
    tool_parser="mistral",
    sampling=MappingProxyType({"temperature": 0.15}),
    engine=MappingProxyType({"tokenizer_mode": "mistral", "config_format": "mistral", "load_format": "mistral"}),
    # Memory is what CUDA sees, some half a GiB less than the driver reports. The cache stays in the model's own
    # bfloat16 wherever one full context fits: FP8 doubles the room but is a choice about quality, left to `engine`.
    presets=by_name(
        _preset("h200", "H200", 139.8, overhead_gib=MEASURED_GIB),
        _preset("h100", "H100", 79.1, overhead_gib=MEASURED_GIB),
        _preset("a100-80gb", "A100", 79.3),
        # L40S, RTX 6000 Ada, A6000: the smallest of them in memory; no NVLink on most, so no more than two.
        _preset("2x48gb", None, 44.9, tensor_parallel_size=2, cards_per_node=2),
    ),
)
