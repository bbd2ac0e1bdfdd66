"""Settings that cannot work are refused with a sentence."""

import pytest

from router.upstream.kubernetes_settings import KubernetesSettings


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"timeout_s": 0}, "timeout_s must be above 0 seconds, got 0"),
        ({"watch_s": -1}, "watch_s must be above 0"),
        ({"idle_s": 0}, "idle_s must be above 0"),
        ({"resync_s": 0}, "resync_s must be above 0"),
        ({"backoff_s": 0}, "backoff_s must be above 0"),
        ({"backoff_max_s": 0.1}, r"backoff_max_s must be at least backoff_s \(0.25\), got 0.1"),
        ({"page_slices": 0}, "page_slices must be at least 1, got 0"),
        ({"max_slices": 0}, "max_slices must be at least 1"),
        ({"page_bytes": 1}, "page_bytes must be at least 65536"),
        ({"line_bytes": 1}, "line_bytes must be at least 65536"),
    ],
)
def test_what_cannot_work_is_refused(wrong: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        KubernetesSettings(**wrong)  # type: ignore[arg-type]
