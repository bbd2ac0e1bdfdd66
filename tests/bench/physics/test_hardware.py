import pytest

from bench.physics.hardware import Curve, hardware


@pytest.mark.parametrize(
    ("kind", "tp", "kv_tokens", "rate", "decode_ms"),
    [("h100", 1, 141_844, 15_844, 14), ("h200", 1, 501_668, 16_094, 12), ("a100", 2, 606_847, 10_202, 17)],
)
def test_each_kind_has_its_room_and_its_speed(kind: str, tp: int, kv_tokens: int, rate: int, decode_ms: int) -> None:
    measured = hardware(kind, tp)
    assert (f"{kind}-tp{tp}", tp, kv_tokens) == (measured.name, measured.gpus, measured.kv_tokens)
    assert rate == round(measured.peak_rate(2048))
    assert decode_ms <= 1000 * measured.step.seconds([], 1, 2048) < decode_ms + 5


def test_a_kind_that_was_not_measured_is_refused() -> None:
    with pytest.raises(ValueError, match=r"hardware must be one of a100-tp1.*got b200-tp1"):
        hardware("b200")


def test_a_step_is_the_sum_of_its_parts() -> None:
    step = hardware("h200").step
    alone = step.seconds([], 8, 8000)
    expected = step.lin(8) + step.c0 + 8 * step.perseq + 8000 * step.perctx + 1 + 0.08
    assert pytest.approx(expected / 1000) == alone
    chunk = step.seconds([(100, 50)], 0, 0)
    assert pytest.approx((step.lin(100) + 100 * step.pertok + 100 * 100 * step.perqk + 1) / 1000) == chunk
    assert max(alone, chunk) < step.seconds([(100, 50)], 8, 8000) < alone + chunk


def test_a_curve_is_straight_between_its_points_and_goes_on_beyond_them() -> None:
    curve = Curve({2: 10.0, 4: 20.0, 8: 24.0})
    assert [10.0, 10.0, 10.0, 15.0, 20.0, 22.0, 24.0, 25.0] == [curve(at) for at in (0, 1, 2, 3, 4, 6, 8, 9)]


def test_a_larger_image_takes_longer() -> None:
    step = hardware("h100").step
    measured = [round(1000 * step.image_seconds(side, side), 3) for side in (336, 768, 1024, 1540)]
    assert [1.9, 6.6, 14.7, 46.0] == measured
