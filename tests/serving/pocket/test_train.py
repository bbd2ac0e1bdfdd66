"""Training goes on from a checkpoint as if it had never stopped, and its learning rate rises, stays and falls."""

from __future__ import annotations

import math
import shutil
from itertools import pairwise
from pathlib import Path

import torch

from serving.pocket import mix
from serving.pocket.stages import STAGES, stage_at
from serving.pocket.train import WEIGHTS, Run, Settings, rate_at, train

SETTINGS = Settings(steps=4000, seed=1, rate=0.004, adam_share=1.0, warmup=60, fall=0.2)


def test_the_rate_warms_up_stays_in_each_stage_and_falls_to_almost_zero() -> None:
    rates = [rate_at(step, SETTINGS) for step in range(SETTINGS.steps)]
    ends = [*(stage.first for stage in STAGES[1:]), 3200]
    assert 1 / 60 == rates[0]
    for stage, end in zip(STAGES, ends, strict=True):
        assert {stage.rate} == set(rates[max(59, stage.first) : end])
    assert STAGES[-1].rate / 2 == rates[3600]
    assert 0.0 < rates[-1] < 0.01
    assert rates[3200:] == sorted(rates[3200:], reverse=True)


def test_a_longer_run_agrees_with_a_shorter_one_before_its_fall() -> None:
    longer = Settings(6000, 1, 0.004, 1.0)
    assert [rate_at(step, SETTINGS) for step in range(3200)] == [rate_at(step, longer) for step in range(3200)]


def test_every_stage_learns_from_known_groups_with_shares_that_sum_to_one() -> None:
    for stage in STAGES:
        assert set(stage.counts) == set(stage.shares) <= set(mix.GROUPS)
        assert math.isclose(1.0, sum(stage.shares.values()))
    for before, after in pairwise(STAGES):
        assert before == stage_at(after.first - 1)
        assert after == stage_at(after.first)


def test_a_resumed_run_ends_like_an_unbroken_one(tmp_path: Path) -> None:
    ends = []
    for name, stops in (("unbroken", (2,)), ("resumed", (1, 2))):
        out = tmp_path / name
        out.mkdir()
        shutil.copyfile(WEIGHTS / "tekken.json", out / "tekken.json")
        for stop in stops:
            run = Run(out, checkpoint_every=stop, evaluate_every=1000, cases=1, threads=1, device="cpu")
            train(0, 1, 0, Settings(stop, seed=1, rate=0.003, adam_share=1.0, warmup=1000, fall=0.0001), run)
        ends.append(torch.load(out / "checkpoint.pt", weights_only=True)["model"])
    for name, value in ends[0].items():
        torch.testing.assert_close(value, ends[1][name], atol=0, rtol=0)
