"""How much of every task a model in this process answers exactly as the reference does."""

from __future__ import annotations

import torch

from serving.pocket.batch import PER_BATCH, collate
from serving.pocket.evaluate import TASKS, cases
from serving.pocket.model import Pictures, PocketModel
from serving.pocket.render import Renderer


@torch.no_grad()
def measure(model: PocketModel, renderer: Renderer, seed: int, count: int, device: torch.device) -> dict[str, float]:
    """Per task the share of cases whose whole reference answer is the model's first choice, token by token."""
    shares: dict[str, float] = {}
    for task in TASKS:
        right = 0
        rendered = []
        for case in cases(task, seed, count):
            whole = renderer.render(case.chat)
            start = len(renderer.prompt(case.chat).ids)
            whole.learn[:] = [at >= start for at in range(len(whole.ids))]
            rendered.append(whole)
        rendered.sort(key=lambda one: len(one.ids))
        for at in range(0, count, PER_BATCH):
            batch = collate(rendered[at : at + PER_BATCH])
            pictures = [Pictures(group.pixels.to(device), group.places.to(device)) for group in batch.pictures]
            with torch.autocast(device.type, torch.bfloat16):
                hidden = model(batch.ids.to(device), pictures)
                logits = model.output(hidden.reshape(-1, hidden.shape[-1])[batch.sources.to(device)])
            good = (logits.argmax(-1).cpu() == batch.targets).tolist()
            rows = (batch.sources // batch.ids.shape[1]).tolist()
            wrong = {row for row, fine in zip(rows, good, strict=True) if not fine}
            right += len(rendered[at : at + PER_BATCH]) - len(wrong)
        shares[task] = right / count
    return shares
