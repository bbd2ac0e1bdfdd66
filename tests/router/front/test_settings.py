from typing import Any

import pytest

from router.front.cors import CorsSettings
from router.front.refusal import Refusal, answer
from router.front.settings import FrontSettings, most_connections
from router.front.tls import TlsSettings


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (FrontSettings, {"first_byte_s": 0}),
        (FrontSettings, {"head_s": float("nan")}),
        (FrontSettings, {"body_gap_s": -1}),
        (FrontSettings, {"write_gap_s": 0}),
        (FrontSettings, {"body_grace_s": -1}),
        (FrontSettings, {"head_bytes": 10}),
        (FrontSettings, {"headers": 0}),
        (FrontSettings, {"path_bytes": 0}),
        (FrontSettings, {"write_buffer_bytes": 0}),
        (FrontSettings, {"body_bytes_per_s": -1}),
        (FrontSettings, {"chunk_overhead_bytes": -1}),
        (FrontSettings, {"connections": 0}),
        (FrontSettings, {"connections_per_address": 0}),
        (CorsSettings, {"origins": ("https://app.example/path",)}),
        (CorsSettings, {"origins": ("null",)}),
        (CorsSettings, {"max_age_s": -1}),
        (TlsSettings, {"certificate": "", "key": "k"}),
        (TlsSettings, {"key": "", "certificate": "c"}),
        (TlsSettings, {"handshake_s": 0, "certificate": "c", "key": "k"}),
        (TlsSettings, {"reload_s": 0, "certificate": "c", "key": "k"}),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_by_name(kind: type, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="^" + next(iter(wrong))):
        kind(**wrong)


@pytest.mark.parametrize(
    ("files", "connections"), [(1, 1), (100, 36), (256, 192), (1024, 768), (20_000, 15_000), (1_048_576, 20_000)]
)
def test_a_quarter_of_the_files_is_kept_for_other_things(files: int, connections: int) -> None:
    assert connections == most_connections(files)


def test_every_refusal_has_a_name_of_its_own_and_its_answer_ends_the_connection() -> None:
    assert len(Refusal) == len({refusal.label for refusal in Refusal})
    for refusal in Refusal:
        whole = answer(refusal, FrontSettings())
        if not refusal.status:
            assert b"" == whole
            continue
        head, _, body = whole.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % refusal.status)
        assert b"\r\nconnection: close" in head
        assert b"\r\ncontent-length: %d\r\n" % len(body) in head
        assert b'"reason":"%b"' % refusal.label.encode() in body
        assert (refusal.status == 503) is (b"\r\nretry-after: 1" in head)
