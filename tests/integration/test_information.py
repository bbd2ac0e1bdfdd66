"""OpenRouter's own client asks for models, endpoints, generations and usage."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest
import uvicorn
from openrouter import OpenRouter
from openrouter.errors import OpenRouterError

from router.protocol.answered import Answered, to_text
from router.store.ledger import LedgerStore
from tests.router.api.information_app import CALLER, MANAGER, NOW, information_app
from tests.router.store.support import entry

# the client warns of its own deprecated fields
pytestmark = pytest.mark.filterwarnings("ignore:.*DEPRECATED:DeprecationWarning")


@contextmanager
def served(url: str) -> Iterator[str]:
    """The base URL of a server in a thread of its own, with some rows in its ledger."""
    listener = socket.create_server(("127.0.0.1", 0))
    started, stop = Event(), Event()

    async def serve() -> None:
        async with information_app(url, clock=NOW + 60) as information:
            information.world.performance.note("eyes-local", 0.0, ok=True, first_token_s=0.2, tokens_per_s=50.0)
            answered = to_text([Answered("local", "eyes-local", "a/eyes", 200, 12, "chatcmpl-1")])
            usual = {"key": "config:caller", "model": "a/eyes", "pool": "eyes-local", "provider": "local"}
            await LedgerStore(information.database).write(
                [entry(1, created=NOW - 60, answers=answered, prompt_tokens=10, completion_tokens=3, **usual)]
            )
            server = uvicorn.Server(uvicorn.Config(information.app, log_level="warning", lifespan="off"))
            serving = asyncio.create_task(server.serve([listener]))
            started.set()
            await asyncio.to_thread(stop.wait)
            server.should_exit = True
            await serving

    thread = Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert started.wait(30)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1"
    finally:
        stop.set()
        thread.join(30)
        listener.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    with served(f"sqlite:///{tmp_path}/router.db") as url:
        yield url


def test_the_catalogue_through_the_official_client(server: str) -> None:
    with OpenRouter(api_key=CALLER, server_url=server) as client:
        listed = client.models.list(sort="newest", supported_parameters="tools")
        assert listed is not None
        assert ["a/eyes"] == [model.id for model in listed.result.data]
        assert 1 == client.models.count(output_modalities="text").data.count
        assert "a/eyes" == client.models.get(author="a", slug="eyes").data.id
        endpoints = client.endpoints.list(author="a", slug="eyes").data.endpoints
        assert ["far/eu", "local"] == [endpoint.tag for endpoint in endpoints]
        assert endpoints[1].latency_last_30m is not None
        assert 200 == pytest.approx(endpoints[1].latency_last_30m.p50, rel=0.05)
        assert ["local", "local"] == [endpoint.tag for endpoint in client.endpoints.list_zdr_endpoints().data]
        assert ["far", "local"] == [provider.slug for provider in client.providers.list().data]
        with pytest.raises(OpenRouterError) as missing:
            client.endpoints.list(author="a", slug="nothing")
        assert 404 == missing.value.status_code


def test_generations_and_usage_through_the_official_client(server: str) -> None:
    with OpenRouter(api_key=CALLER, server_url=server) as client:
        found = client.generations.get_generation(id="gen-1").data
        assert ("gen-1", 0.001, 10) == (found.id, found.total_cost, found.tokens_prompt)
        assert found.provider_responses is not None
        assert ["local"] == [each.provider_name for each in found.provider_responses]
        with pytest.raises(OpenRouterError) as missing:
            client.generations.get_generation(id="gen-2")
        assert 404 == missing.value.status_code
    with OpenRouter(api_key=MANAGER, server_url=server) as manager:
        (row,) = manager.analytics.get_user_activity().data
        assert ("2026-11-25", "a/eyes", 0.001) == (row.date_, row.model, row.usage)
        credits_ = manager.credits.get_credits().data
        assert (0.001, 0.001) == (credits_.total_credits, credits_.total_usage)
