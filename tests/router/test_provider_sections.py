"""Providers in the configuration file."""

from pathlib import Path
from typing import Any

import pytest

from router.config import Config, ConfigError, parse, read_secrets
from router.policy.catalog import Dialect
from router.protocol.dialects.words import STANDARD, STANDARD_ANTHROPIC, Conversation

LOCAL = {"name": "gpus", "upstream_model": "m", "discovery": {"kind": "static", "endpoints": ["http://10.0.0.1:1"]}}
BURST = {"name": "burst", "provider": "openrouter", "upstream_model": "theirs"}
PROVIDER = {"slug": "openrouter", "url": "https://openrouter.ai/api/v1", "key": {"env": "KEY"}}


def config(provider: dict[str, Any] = PROVIDER, *pools: dict[str, Any]) -> Config:
    models = [{"id": "m", "context_length": 10, "pools": [*(pools or (LOCAL, BURST))]}]
    return parse({"allow_anonymous": True, "providers": [provider], "models": models}, source="file")


def test_a_provider_without_more_is_distrusted_and_comes_last() -> None:
    (_, ours), (_, theirs) = ((section.name, pool) for pool, section in config().pools())
    assert (Dialect.VLLM, "local", 0) == (ours.dialect, ours.provider, ours.tier)
    assert (Dialect.OPENAI, "openrouter", "openrouter", 1) == (
        theirs.dialect,
        theirs.provider,
        theirs.slug,
        theirs.tier,
    )
    assert (True, True, STANDARD) == (theirs.trains, theirs.retains, theirs.parameters)


def test_what_a_provider_may_say_of_itself() -> None:
    provider = {**PROVIDER, "name": "Claude", "dialect": "anthropic", "trains": False, "retains": False, "tier": 0}
    _, (pool, _) = config(provider, LOCAL, {**BURST, "parameters": ["top_k"]}).pools()
    assert ("Claude", Dialect.ANTHROPIC, False, False, 0) == (
        pool.provider,
        pool.dialect,
        pool.trains,
        pool.retains,
        pool.tier,
    )
    assert frozenset({"top_k"}) == pool.parameters
    _, (pool, _) = config(provider).pools()
    assert STANDARD_ANTHROPIC == pool.parameters


def test_secrets_are_read_at_start_and_shown_nowhere() -> None:
    headers = {"X-Title": "Ours", "X-Org": {"env": "ORG"}}
    given = config({**PROVIDER, "headers": headers, "conversation": "mistral"})
    secrets = read_secrets(given, {"KEY": "the-secret-key", "ORG": "the-org"})
    (settings,) = secrets.providers
    assert ("the-secret-key", {"X-Title": "Ours", "X-Org": "the-org"}) == (settings.key, settings.headers)
    assert Conversation.MISTRAL is settings.conversation
    assert "the-secret-key" not in repr(secrets) + repr(given)


@pytest.mark.parametrize(
    ("provider", "pools", "problem"),
    [
        ({**PROVIDER, "url": "http://a"}, (), "url: must be https"),
        ({**PROVIDER, "slug": "Open Router"}, (), r"providers\[0\].slug"),
        (PROVIDER, ({**LOCAL, "provider": "openrouter"},), "gpus: give discovery"),
        (PROVIDER, ({**BURST, "provider": "nobody"},), "burst: give discovery"),
    ],
)
def test_what_does_not_fit_is_refused(
    provider: dict[str, Any], pools: tuple[dict[str, Any], ...], problem: str
) -> None:
    with pytest.raises(ConfigError, match=problem):
        config(provider, *pools)


def test_what_only_shows_at_start_is_named() -> None:
    with pytest.raises(ConfigError, match="environment variable KEY"):
        read_secrets(config(), {})
    with pytest.raises(ConfigError, match="providers: openrouter: key: must be printable"):
        read_secrets(config(), {"KEY": "ü"})
    with pytest.raises(ConfigError, match=r"providers: openrouter: ca_file: .* cannot be used"):
        read_secrets(config({**PROVIDER, "ca_file": str(Path("/none.pem"))}), {"KEY": "k"})
