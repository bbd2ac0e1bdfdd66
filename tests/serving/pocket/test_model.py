"""The trainer's model: padding, batching and picture order change nothing; exported files are small and complete."""

from __future__ import annotations

import json
from random import Random

import torch
from safetensors import safe_open

from serving.pocket.batch import Batch, collate
from serving.pocket.evaluate import cases
from serving.pocket.exactness import measure
from serving.pocket.export import WEIGHTS, load, params_of
from serving.pocket.model import PocketModel, Shape
from serving.pocket.render import Rendered, Renderer

RENDERER = Renderer(WEIGHTS / "tekken.json")
SMALL = Shape(RENDERER.vocabulary, dim=32, layers=2, heads=2, kv_heads=1, head_dim=16, hidden=48, vision_dim=32,
              vision_layers=1, vision_heads=2, vision_hidden=48)  # fmt: skip
MEGABYTE = 1_000_000


def small_model() -> PocketModel:
    torch.manual_seed(1)
    model = PocketModel(SMALL)
    model.eval()
    return model


def rendered(task: str, count: int) -> list[Rendered]:
    return [RENDERER.render(case.chat) for case in cases(task, 12, count)]


def logprobs(model: PocketModel, batch: Batch) -> torch.Tensor:
    with torch.no_grad():
        hidden = model(batch.ids, batch.pictures).reshape(-1, model.shape.dim)[batch.sources]
        return torch.log_softmax(model.output(hidden), dim=-1).gather(1, batch.targets[:, None])[:, 0]


def test_a_conversation_reads_the_same_alone_and_in_a_batch() -> None:
    model = small_model()
    samples = [*rendered("two_pictures", 3), *rendered("follow_up", 3), *rendered("recall", 3)]
    together = logprobs(model, collate(samples))
    alone = torch.cat([logprobs(model, collate([sample])) for sample in samples])
    torch.testing.assert_close(alone, together, atol=1e-4, rtol=1e-4)


def test_what_a_picture_shows_changes_the_answer_and_pictures_keep_their_order() -> None:
    model = small_model()
    sample = next(one for one in rendered("two_pictures", 20) if one.pictures[0].size == one.pictures[1].size)
    swapped = Rendered(sample.ids, sample.learn, sample.pictures[::-1])
    assert not torch.allclose(logprobs(model, collate([sample])), logprobs(model, collate([swapped])), atol=1e-6)


def test_padding_is_never_learnt() -> None:
    batch = collate([*rendered("json", 2), *rendered("tools", 2)])
    assert 11 not in batch.targets.tolist()
    assert batch.ids.reshape(-1)[batch.sources + 1].tolist() == batch.targets.tolist()


def test_weights_and_tokenizer_together_stay_within_eight_megabytes() -> None:
    files = ("params.json", "consolidated.safetensors", "tekken.json")
    assert sum((WEIGHTS / name).stat().st_size for name in files) <= 8 * MEGABYTE


def test_the_exported_weights_are_bfloat16_under_mistrals_names() -> None:
    with safe_open(WEIGHTS / "consolidated.safetensors", framework="pt") as file:
        names = set(file.keys())
        types = {file.get_slice(name).get_dtype() for name in names}
    assert {"BF16"} == types
    assert set(PocketModel(Shape(RENDERER.vocabulary)).state_dict()) == names
    assert {
        "tok_embeddings.weight",
        "layers.0.attention.wq.weight",
        "layers.0.feed_forward.w1.weight",
        "vision_encoder.patch_conv.weight",
        "vision_encoder.transformer.layers.0.attention.wo.weight",
        "vision_language_adapter.w_in.weight",
        "patch_merger.merging_layer.weight",
        "pre_mm_projector_norm.weight",
        "output.weight",
    } <= names


def test_the_exported_params_are_those_of_the_model() -> None:
    assert params_of(load()[0].shape) == json.loads((WEIGHTS / "params.json").read_text(encoding="utf-8"))


def test_the_stored_model_answers_every_kind_of_question() -> None:
    """A share far below what it reaches, far above guessing: the stored weights are the trained ones."""
    model, renderer = load()
    shares = measure(model, renderer, seed=Random("stored").randrange(1000), count=10, device=torch.device("cpu"))
    assert {} == {task: share for task, share in shares.items() if share < 0.5}
