"""Conversations as tensors: padded ids, which positions are learnt, and the pictures grouped by size."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import torch
from mistral_common.tokens.tokenizers.image import transform_image
from PIL import Image
from torch import Tensor

from serving.pocket.draw import SIZES
from serving.pocket.mix import sample
from serving.pocket.model import Pictures
from serving.pocket.render import IMG, PAD, TOKEN_SIDE, Rendered, Renderer, grid_of

PER_BATCH = 8
"""Conversations laid side by side; few, so that a batch stays in the CPU's cache."""
PAD_TO = 16
"""Lengths are padded to a multiple of this, so that few different shapes occur."""


@dataclass(frozen=True, slots=True)
class Batch:
    """`sources` are the positions (into the ids laid end to end) whose next token is learnt; `targets` those tokens."""

    ids: Tensor
    sources: Tensor
    targets: Tensor
    pictures: list[Pictures]


def pixels_of(picture: Image.Image) -> Tensor:
    """The picture as the engine sees it: resized up to whole tokens and normalized, (3, height, width)."""
    columns, rows = grid_of(*picture.size)
    return torch.from_numpy(transform_image(picture, (columns * TOKEN_SIDE, rows * TOKEN_SIDE)).copy())


def collate(samples: list[Rendered]) -> Batch:
    """One rectangular batch of rendered conversations."""
    longest = max(len(sample.ids) for sample in samples)
    length = -(-longest // PAD_TO) * PAD_TO
    ids = torch.full((len(samples), length), PAD, dtype=torch.long)
    sources: list[int] = []
    targets: list[int] = []
    groups: dict[tuple[int, ...], tuple[list[Tensor], list[int]]] = {}
    for row, one in enumerate(samples):
        ids[row, : len(one.ids)] = torch.tensor(one.ids)
        base = row * length
        for at, learned in enumerate(one.learn):
            if learned:
                sources.append(base + at - 1)
                targets.append(one.ids[at])
        places = [base + at for at, token in enumerate(one.ids) if token == IMG]
        for picture in one.pictures:
            pixels = pixels_of(picture)
            tokens = pixels.shape[1] * pixels.shape[2] // TOKEN_SIDE**2
            seen, where = groups.setdefault(tuple(pixels.shape), ([], []))
            seen.append(pixels)
            where += places[:tokens]
            places = places[tokens:]
    pictures = [Pictures(torch.stack(seen), torch.tensor(where)) for seen, where in groups.values()]
    return Batch(ids, torch.tensor(sources), torch.tensor(targets), pictures)


def batches_of(group: str, count: int, seed: str, renderer: Renderer, per_batch: int) -> list[Batch]:
    """`count` conversations of a group, all with pictures of one size, as batches of about equal lengths.

    Same seed, same batches.
    """
    rng = Random(seed)
    size = rng.choice(SIZES)
    samples = sorted((renderer.render(sample(group, rng, size)) for _ in range(count)), key=lambda one: len(one.ids))
    return [collate(samples[at : at + per_batch]) for at in range(0, count, per_batch)]
