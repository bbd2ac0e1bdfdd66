"""The official Python client of OpenRouter: presets, made of requests, shown, used."""

from uuid import uuid4

from openrouter import OpenRouter

from tests.conformance.clients.openrouter_sdk import ASKED
from tests.conformance.proves import proves
from tests.conformance.served import Served


@proves(
    "GET /presets",
    "GET /presets/{slug}",
    "GET /presets/{slug}/versions",
    "GET /presets/{slug}/versions/{version}",
    "POST /presets/{slug}/chat/completions",
)
def test_openrouter_keeps_shows_and_uses_a_preset(openrouter_client: OpenRouter, served: Served) -> None:
    slug = f"brief-{uuid4().hex[:12]}"
    made = openrouter_client.presets.create_presets_chat_completions(
        slug=slug, model=served.model, messages=ASKED, max_tokens=3
    ).data
    assert slug == made.slug
    assert slug in [each.slug for each in openrouter_client.presets.list().result.data]
    assert made.id == openrouter_client.presets.get(slug=slug).data.id
    versions = openrouter_client.presets.list_versions(slug=slug).result.data
    assert [1] == [version.version for version in versions]
    assert 1 == openrouter_client.presets.get_version(slug=slug, version="1").data.version
    answer = openrouter_client.chat.send(model=f"@preset/{slug}", messages=ASKED, stream=False)
    assert answer.usage is not None
    assert answer.usage.completion_tokens <= 3
