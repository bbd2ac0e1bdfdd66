"""What a caller may see of what an endpoint was sent."""

import json

import pytest

from router.protocol.chunk import CHAT, Identity
from router.protocol.echo import echo_chunk, wants_echo


@pytest.mark.parametrize(
    ("debug", "wants"),
    [(None, False), (b"{}", False), (b'{"echo_upstream_body":true}', True), (b'{"echo_upstream_body":1}', False)],
)
def test_only_true_asks_for_it(debug: bytes | None, wants: bool) -> None:
    assert wants is wants_echo(debug)


def test_media_people_and_salts_are_blotted_out() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}, "uuid": "secret"}
    body = {
        "model": "served",
        "request_id": "gen-1",
        "cache_salt": "pepper",
        "user": "anne",
        "temperature": 0,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "data: none"}, picture]}],
    }
    event = echo_chunk(Identity("gen-1", "m", "local", 7), CHAT, json.dumps(body).encode())
    chunk = json.loads(event.removeprefix(b"data: "))
    blotted = {"type": "image_url", "image_url": {"url": "data:image/png;base64,[REDACTED]"}}
    assert [] == chunk["choices"]
    assert {
        "model": "served",
        "user": "[REDACTED]",
        "temperature": 0,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "data: none"}, blotted]}],
    } == chunk["debug"]["echo_upstream_body"]
