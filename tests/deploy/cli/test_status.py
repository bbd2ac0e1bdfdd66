import json

import pytest

from deploy.cli.__main__ import main
from deploy.cli.status import render
from tests.deploy.canned import CannedRouter

STATUS = {
    "models": ["pocket"],
    "pools": [
        {
            "name": "here",
            "model": "pocket",
            "provider": "local",
            "endpoints": [
                {
                    "id": "a",
                    "url": "http://127.0.0.1:30000",
                    "state": "closed",
                    "streams": 2,
                    "queued_tokens": 340,
                    "running": 2.0,
                    "waiting": 0.0,
                    "kv_cache_usage": 0.126,
                },
                {
                    "id": "b",
                    "url": "http://127.0.0.1:30001",
                    "state": "unprobed",
                    "streams": 0,
                    "queued_tokens": 0,
                },
            ],
        },
        {"name": "there", "model": "pocket", "provider": "openrouter", "endpoints": []},
    ],
}
TABLE = """\
MODEL   POOL   PROVIDER    ENDPOINT                STATE     STREAMS  QUEUED  RUN/WAIT  KV
pocket  here   local       http://127.0.0.1:30000  closed    2        340     2/0       13 %
pocket  here   local       http://127.0.0.1:30001  unprobed  0        0       ?/?       ?
pocket  there  openrouter  none                    -         -        -       -         -"""


def test_every_endpoint_is_a_line_and_a_pool_without_one_is_seen() -> None:
    assert TABLE == render(STATUS)


def test_the_status_is_asked_for_with_the_key(canned_router: CannedRouter, capsys: pytest.CaptureFixture[str]) -> None:
    canned_router.body = json.dumps(STATUS).encode()
    assert 0 == main(["status", "--base-url", canned_router.url + "/api/v1", "--api-key", "k"])
    assert [("/status", "Bearer k", b"")] == canned_router.asked
    assert TABLE + "\n" == capsys.readouterr().out
