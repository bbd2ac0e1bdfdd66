import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.catalog import EndpointId
from router.policy.forecast import START_RATE, Forecast, ForecastSettings

A, B = EndpointId("a"), EndpointId("b")


def calibrated(**given: float) -> Forecast:
    return Forecast(ForecastSettings(prefill_tokens_per_s=1000.0, overhead_s=0.5, **given))


def predict(forecast: Forecast, tokens: int) -> float:
    """Seconds for a prompt of its own."""
    return forecast.times([A], [0], [tokens])[1][0]


def test_a_prompt_waits_for_those_before_it_and_takes_its_own_time() -> None:
    assert ([2.0, 0.0], [1.5, 0.7]) == calibrated().times([A, B], [2000, 0], [1000, 200])


def test_of_no_endpoints_there_is_nothing_to_say() -> None:
    assert ([], []) == calibrated().times([], [], [])


def test_an_engine_that_is_slower_than_predicted_is_believed_to_be_slow() -> None:
    forecast = calibrated()
    for _ in range(200):
        predicted_s = predict(forecast, 1000)
        forecast.learn(A, tokens=1000, predicted_s=predicted_s, actual_s=3.0)
    assert 3.0 == pytest.approx(predict(forecast, 1000), rel=0.01)
    assert 2.0 == pytest.approx(forecast.bias(A), rel=0.01)
    assert (1.0, 1000.0) == (forecast.bias(B), forecast.rate)


def test_one_stall_is_not_believed_for_long() -> None:
    forecast = calibrated(learning=0.05)
    forecast.learn(A, tokens=1000, predicted_s=1.5, actual_s=1500.0)
    assert 1.2 == pytest.approx(forecast.bias(A))


def test_without_a_calibration_one_rate_is_learned_for_all() -> None:
    forecast = Forecast(ForecastSettings(overhead_s=0.0))
    assert START_RATE == forecast.rate
    for endpoint, actual_s in [(A, 1.0), (B, 1.5)] * 300:
        forecast.learn(endpoint, tokens=6000, predicted_s=1.0, actual_s=actual_s)
    assert 5000.0 == pytest.approx(forecast.rate, rel=0.02)


def test_a_calibrated_rate_stays() -> None:
    forecast = calibrated()
    forecast.learn(A, tokens=6000, predicted_s=1.0, actual_s=1.0)
    assert 1000.0 == forecast.rate


def test_a_prompt_has_its_own_time_on_an_idle_endpoint() -> None:
    assert 2.5 == calibrated().idle_s(2000)


def test_rate_and_bias_together_come_to_the_truth() -> None:
    forecast = Forecast(ForecastSettings())
    for _ in range(2000):
        forecast.learn(A, tokens=4000, predicted_s=predict(forecast, 4000), actual_s=40.0)
    assert 40.0 == pytest.approx(predict(forecast, 4000), rel=0.05)


def test_short_prompts_say_nothing_of_the_rate() -> None:
    forecast = Forecast(ForecastSettings())
    forecast.learn(A, tokens=999, predicted_s=1.0, actual_s=1.0)
    assert START_RATE == forecast.rate


def test_an_answer_that_came_within_the_overhead_claims_no_endless_rate() -> None:
    forecast = Forecast(ForecastSettings(overhead_s=1.0))
    forecast.learn(A, tokens=1000, predicted_s=1.0, actual_s=0.5)
    assert START_RATE + 0.01 * (4000.0 - START_RATE) == pytest.approx(forecast.rate)


@pytest.mark.parametrize("times", [(0.0, 1.0), (1.0, 0.0), (-1.0, 1.0)])
def test_what_took_no_time_teaches_nothing(times: tuple[float, float]) -> None:
    forecast = Forecast(ForecastSettings())
    forecast.learn(A, tokens=5000, predicted_s=times[0], actual_s=times[1])
    assert (START_RATE, 1.0) == (forecast.rate, forecast.bias(A))


def test_an_endpoint_that_left_is_forgotten() -> None:
    forecast = Forecast(ForecastSettings())
    forecast.learn(A, tokens=5000, predicted_s=1.0, actual_s=2.0)
    forecast.forget(A)
    forecast.forget(B)
    assert 1.0 == forecast.bias(A)


@pytest.mark.parametrize(
    "settings",
    [
        {"prefill_tokens_per_s": 0.0},
        {"prefill_tokens_per_s": float("nan")},
        {"overhead_s": -0.1},
        {"overhead_s": float("nan")},
        {"learning": 0.0},
        {"learning": 1.1},
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(settings))} must"):
        ForecastSettings(**settings)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.floats(0.001, 1000), st.floats(0.001, 1000)), max_size=100))
def test_whatever_happens_predictions_stay_positive(answers: list[tuple[int, float, float]]) -> None:
    forecast = Forecast(ForecastSettings())
    for tokens, predicted_s, actual_s in answers:
        forecast.learn(A, tokens=tokens, predicted_s=predicted_s, actual_s=actual_s)
        assert forecast.rate > 0
        assert 0.05 <= forecast.bias(A) <= 50.0
