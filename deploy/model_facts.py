"""What a router is told of a model, read off the engines' deployment: no fact is written down a second time by hand.

What engines say of themselves when they run (see `router.upstream.facts`) may make a context shorter, never longer.
Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.config import Deployment
from serving.engine import resolve
from serving.profiles import find

_OF_DTYPES = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32"}  # in OpenRouter's words
_OF_METHODS = {"fp8": "fp8", "mxfp4": "mxfp4", "mxfp8": "mxfp8", "modelopt_fp4": "nvfp4"}


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Of one deployment."""

    model_id: str
    context_length: int  # tokens
    input_modalities: tuple[str, ...]
    images_per_request: int
    quantization: str
    hugging_face_id: str | None
    sampling: Mapping[str, float]  # where a request says nothing


def facts_of(deployment: Deployment) -> ModelFacts:
    """
    Raises:
        ConfigError: the deployment cannot be; see `serving.engine.resolve`.
    """
    engine = resolve(deployment)
    profile, _ = find(deployment.model, deployment.preset)
    arguments, source = engine.arguments, engine.source
    images = int(arguments["limit_mm_per_prompt"].get("image", 0))
    return ModelFacts(
        model_id=engine.model_id,
        context_length=int(arguments["max_model_len"]),
        input_modalities=("text", "image") if images else ("text",),
        images_per_request=images,
        quantization=_quantization(arguments),
        hugging_face_id=None if Path(source).is_absolute() or "://" in source else source,
        sampling=dict(arguments.get("override_generation_config") or profile.sampling),
    )


def _quantization(arguments: Mapping[str, Any]) -> str:
    """Of the weights: what the engine is told to make of them, else the type it computes in."""
    method = arguments.get("quantization")
    if method is not None:
        return _OF_METHODS.get(str(method), "unknown")
    return _OF_DTYPES.get(str(arguments["dtype"]), "unknown")
