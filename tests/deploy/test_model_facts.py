"""A model's facts are read off its deployment."""

import pytest

from deploy.model_facts import ModelFacts, facts_of
from serving.config import Deployment


def test_a_large_models_facts_are_its_profiles() -> None:
    assert facts_of(Deployment(model="mistral-small-3.1-24b", preset="h100")) == ModelFacts(
        model_id="mistralai/mistral-small-3.1-24b-instruct",
        context_length=131_072,
        input_modalities=("text", "image"),
        images_per_request=10,
        quantization="bf16",
        hugging_face_id="mistralai/Mistral-Small-3.1-24B-Instruct-2503",
        sampling={"temperature": 0.15},
    )


def test_what_the_deployment_changes_counts() -> None:
    engine = {
        "max_model_len": 32_768,
        "limit_mm_per_prompt": {"image": 0},
        "quantization": "fp8",
        "override_generation_config": {"top_p": 0.5},
    }
    facts = facts_of(Deployment(model="mistral-small-3.1-24b", preset="h100", model_id="m", engine=engine))
    assert ("m", 32_768, ("text",), 0, "fp8", {"top_p": 0.5}) == (
        facts.model_id, facts.context_length, facts.input_modalities, facts.images_per_request, facts.quantization,
        facts.sampling,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("engine", "word"),
    [
        ({"quantization": "awq"}, "unknown"),
        ({"quantization": "modelopt_fp4"}, "nvfp4"),
        ({"dtype": "float16"}, "fp16"),
    ],
)
def test_a_quantisation_is_one_of_openrouters_words(engine: dict[str, str], word: str) -> None:
    assert word == facts_of(Deployment(model="mistral-small-3.1-24b", preset="h100", engine=engine)).quantization


def test_weights_in_a_folder_are_not_on_a_hub() -> None:
    assert facts_of(Deployment(model="pocket", preset="cpu")).hugging_face_id is None
