"""Stored responses in the metrics."""

from router.policy.key import Key
from router.protocol.responses.memory import Remembered
from router.response_series import response_series
from router.store.kept_responses import KeptResponses
from router.store.responses_settings import ResponsesSettings
from tests.router.api.test_responses import Away


def test_what_waits_and_what_found_no_room_is_shown() -> None:
    settings = ResponsesSettings(response_bytes=1_024, waiting_bytes=1_024)
    kept = KeptResponses(Away(), settings, wall_clock=lambda: 0.0)
    for number in range(3):
        kept.keep(Key("k", "k"), Remembered(f"resp_{number}", 0, "m", "completed", b"[]", b"a" * 400))
    samples = {sample.name: sample.value for metric in response_series(kept) for sample in metric.samples}
    assert {
        "tramontane_responses_waiting": 2,
        "tramontane_responses_waiting_bytes": 804,
        "tramontane_responses_stored_total": 0,
        "tramontane_responses_dropped_total": 1,
        "tramontane_responses_failures_total": 0,
        "tramontane_responses_swept_total": 0,
    } == samples
