"""Trains the pocket model: `python -m serving.pocket.train --out RUN` and, when it ends, `serving.pocket.export`.

One step learns from a few conversations of each group (`mix.py`). Hidden matrices are stepped by Muon (Jordan et al.
2024, "Muon: An optimizer for hidden layers"), the rest by AdamW. The learning rate warms up, stays (lower in the
second stage), and falls to zero over the last part of the run (Hu et al. 2024, "MiniCPM", warmup-stable-decay), so a
run may be made longer or shorter from any checkpoint before the fall. Everything is drawn from the seed and the
step's number: a resumed run sees what an unbroken one would have seen.
"""

from __future__ import annotations

import argparse
import csv
import ctypes
import os
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, distributed, multiprocessing
from torch.nn import functional
from tqdm import tqdm

from serving.cluster import free_port
from serving.pocket import mix
from serving.pocket.batch import PER_BATCH, Batch, batches_of
from serving.pocket.exactness import measure
from serving.pocket.model import Pictures, PocketModel, Shape
from serving.pocket.render import Renderer
from serving.pocket.stages import stage_at

WEIGHTS = Path(__file__).parent / "weights"
SHARDS = 2
"""Each step's conversations come in this many equal parts, which as many processes may share."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`rate` is Muon's learning rate, AdamW's is `rate * adam_share`; `warmup` is in steps, `fall` a share of all."""

    steps: int
    seed: int
    rate: float
    adam_share: float
    warmup: int = 60
    fall: float = 0.2


@dataclass(frozen=True, slots=True)
class Run:
    """Where and how often a run writes (`..._every` in steps, `cases` per task), and what it computes on."""

    out: Path
    checkpoint_every: int
    evaluate_every: int
    cases: int
    threads: int
    device: str


def rate_at(step: int, settings: Settings) -> float:
    """The learning rate's factor at a step, from 0 to 1."""
    falling = settings.steps * settings.fall
    left = settings.steps - step
    return stage_at(step).rate * min(1.0, (step + 1) / settings.warmup, left / falling)


def shard_of(seed: int, step: int, shard: int, renderer: Renderer) -> dict[str, list[Batch]]:
    """What one shard of a step learns from."""
    return {
        group: batches_of(group, count, f"train {seed} {step} {shard} {group}", renderer, PER_BATCH)
        for group, count in stage_at(step).counts.items()
    }


def loss_of(model: PocketModel, batch: Batch, device: torch.device) -> Tensor:
    """The summed cross entropy of the learnt tokens."""
    pictures = [Pictures(group.pixels.to(device), group.places.to(device)) for group in batch.pictures]
    with torch.autocast(device.type, torch.bfloat16):
        hidden = model(batch.ids.to(device), pictures)
        logits = model.output(hidden.reshape(-1, hidden.shape[-1])[batch.sources.to(device)])
    return functional.cross_entropy(logits.float(), batch.targets.to(device), reduction="sum")


def optimizers(model: PocketModel, settings: Settings) -> list[torch.optim.Optimizer]:
    matrices = [p for name, p in model.named_parameters() if p.dim() == 2 and not name.startswith(("tok_", "output"))]
    chosen = {id(p) for p in matrices}
    rest = [p for p in model.parameters() if id(p) not in chosen]
    adam_rate = settings.rate * settings.adam_share
    return [
        torch.optim.Muon(matrices, lr=settings.rate, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(rest, lr=adam_rate, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def learn(
    model: PocketModel, groups: dict[str, list[Batch]], shares: Mapping[str, float], device: torch.device
) -> dict[str, float]:
    """Adds one shard's gradients to the model's; gives the mean loss per token of each group, 0 where there is none."""
    losses = dict.fromkeys(mix.GROUPS, 0.0)
    for group, batches in groups.items():
        learnt = sum(len(batch.targets) for batch in batches)
        for batch in batches:
            loss = loss_of(model, batch, device) / learnt
            (loss * (shares[group] / SHARDS)).backward()
            losses[group] += loss.item()
    return losses


def share_gradients(model: PocketModel) -> None:
    """Sums the gradients of all processes into each."""
    flat = torch.cat([parameter.grad.flatten() for parameter in model.parameters() if parameter.grad is not None])
    distributed.all_reduce(flat)
    at = 0
    for parameter in model.parameters():
        if parameter.grad is not None:
            parameter.grad.copy_(flat[at : at + parameter.numel()].view_as(parameter))
            at += parameter.numel()


def train(rank: int, processes: int, port: int, settings: Settings, run: Run) -> None:
    """Trains to the end of `settings.steps`, going on from `run.out/checkpoint.pt` where there is one.

    One of `processes` that each take their share of the shards; the first one writes the files.
    """
    keep_memory()
    torch.set_num_threads(run.threads)
    torch.manual_seed(settings.seed)
    device = torch.device(run.device)
    if processes > 1:
        store = distributed.TCPStore("127.0.0.1", port, processes, is_master=rank == 0)
        distributed.init_process_group("gloo", store=store, rank=rank, world_size=processes)
    renderer = Renderer(run.out / "tekken.json")
    model = PocketModel(Shape(renderer.vocabulary)).to(device)
    steppers = optimizers(model, settings)
    checkpoint = run.out / "checkpoint.pt"
    first, spent = 0, 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        for stepper, saved in zip(steppers, state["optimizers"], strict=True):
            stepper.load_state_dict(saved)
        first, spent = state["step"], state["seconds"]
    full_rates = [settings.rate, settings.rate * settings.adam_share]
    started = time.monotonic() - spent
    bar = tqdm(range(first, settings.steps), initial=first, total=settings.steps, unit="step", disable=rank > 0)
    for step in bar:
        factor = rate_at(step, settings)
        for stepper, full in zip(steppers, full_rates, strict=True):
            stepper.param_groups[0]["lr"] = full * factor
            stepper.zero_grad(set_to_none=False)
        for shard in range(rank, SHARDS, processes):
            groups = shard_of(settings.seed, step, shard, renderer)
            losses = learn(model, groups, stage_at(step).shares, device)
        if processes > 1:
            share_gradients(model)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for stepper in steppers:
            stepper.step()
        if rank > 0:
            continue
        done, seconds = step + 1, time.monotonic() - started
        bar.set_postfix({group: f"{loss:.3f}" for group, loss in losses.items()}, refresh=False)
        if done % 10 == 0:
            _log(run.out / "loss.csv", {"step": done, "seconds": round(seconds), **losses})
        if done % run.checkpoint_every == 0 or done == settings.steps:
            state = {
                "model": model.state_dict(),
                "optimizers": [stepper.state_dict() for stepper in steppers],
                "step": done,
                "seconds": seconds,
            }
            torch.save(state, run.out / "checkpoint.new")
            os.replace(run.out / "checkpoint.new", checkpoint)
        if done % run.evaluate_every == 0 or done == settings.steps:
            found = measure(model, renderer, seed=0, count=run.cases, device=device)
            _log(run.out / "accuracy.csv", {"step": done, "seconds": round(seconds), **found})
    if processes > 1:
        distributed.barrier()
        distributed.destroy_process_group()


def keep_memory() -> None:
    """Asks glibc to keep freed memory: taking it from the kernel anew at every step can cost half of the time."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        for option, value in ((-3, 1 << 30), (-1, 2**31 - 1), (-2, 1 << 28)):  # mmap threshold, trim threshold, top pad
            libc.mallopt(option, value)


def _log(path: Path, row: dict[str, float]) -> None:
    fresh = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        if fresh:
            writer.writeheader()
        writer.writerow({key: round(value, 4) for key, value in row.items()})


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the pocket model.")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoint, loss.csv and accuracy.csv")
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=0.004, help="learning rate of Muon")
    parser.add_argument("--adam-share", type=float, default=1.0, help="learning rate of AdamW as a share of Muon's")
    parser.add_argument("--checkpoint-every", type=int, default=200, help="steps between checkpoints")
    parser.add_argument("--evaluate-every", type=int, default=500, help="steps between measurements of accuracy")
    parser.add_argument("--cases", type=int, default=40, help="cases per task and measurement")
    parser.add_argument("--processes", type=int, choices=(1, SHARDS), default=SHARDS)
    parser.add_argument("--threads", type=int, default=1, help="threads per process")
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if not (given.out / "tekken.json").exists():  # a run keeps the tokenizer it began with
        shutil.copyfile(WEIGHTS / "tekken.json", given.out / "tekken.json")
    run = Run(given.out, given.checkpoint_every, given.evaluate_every, given.cases, given.threads, given.device)
    settings = Settings(given.steps, given.seed, given.rate, given.adam_share)
    if given.processes == 1:
        train(0, 1, 0, settings, run)
        return
    multiprocessing.spawn(train, (given.processes, free_port(), settings, run), nprocs=given.processes)


if __name__ == "__main__":
    main()
