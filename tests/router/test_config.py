from pathlib import Path
from typing import Any

import pytest

from router.config import Config, load, parse, read_secrets, read_vocabularies
from router.policy.call import Priority
from router.policy.catalog import Price
from router.policy.deadline import Deadlines
from router.policy.key import Rates
from router.sections import ConfigError, Secret

POOL: dict[str, Any] = {
    "name": "local",
    "upstream_model": "eyes",
    "discovery": {"kind": "static", "endpoints": ["http://127.0.0.1:30000"]},
}
MODEL: dict[str, Any] = {"id": "m/eyes", "context_length": 8192, "pools": [POOL]}
GOOD: dict[str, Any] = {"keys": [{"name": "me", "secret": {"value": "k"}}], "models": [MODEL]}


def with_pool(**changes: Any) -> dict[str, Any]:
    return {**GOOD, "models": [{**MODEL, "pools": [{**POOL, **changes}]}]}


def mistakes(data: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(data, source="router.yaml")
    return str(caught.value)


def test_the_smallest_configuration_has_safe_defaults() -> None:
    config = parse(GOOD, source="router.yaml")
    assert config.listen.host == "127.0.0.1"
    assert config.deadlines == Deadlines()


def test_an_unknown_key_is_refused_with_its_path_and_a_suggestion() -> None:
    told = mistakes(with_pool(quantisation="fp8"))
    assert told == "router.yaml: models[0].pools[0].quantisation: unknown key; did you mean `quantization`?"


def test_an_unknown_key_of_a_policy_is_refused_too() -> None:
    told = mistakes({**GOOD, "breaker": {"xyz": 1}})
    assert told == "router.yaml: breaker.xyz: unknown key; docs/settings.md lists all keys"


def test_a_policys_own_check_names_the_field() -> None:
    assert mistakes({**GOOD, "retry": {"max_attempts": 0}}).startswith("router.yaml: retry: max_attempts must be")


def test_every_mistake_is_told_at_once() -> None:
    told = mistakes({**GOOD, "listen": {"port": 70_000}, "probe": {"interval_s": 0}})
    assert [line.split(": ")[1] for line in told.splitlines()] == ["listen.port", "probe.interval_s"]


def test_no_keys_is_only_good_when_everybody_may_come_in() -> None:
    assert "allow_anonymous" in mistakes({"models": [MODEL]})
    assert parse({"models": [MODEL], "allow_anonymous": True}, source="router.yaml").keys == []


def test_names_that_must_tell_things_apart_are_unique() -> None:
    told = mistakes({**GOOD, "models": [MODEL, {**MODEL, "id": "m/other"}]})
    assert told == "router.yaml: pools: name must be unique, given twice: local"


def test_prices_are_given_per_million_tokens() -> None:
    config = parse(with_pool(price={"prompt": 0.1, "completion": 0.3, "cached_prompt": 0.02}), source="router.yaml")
    pool, _ = config.pools()[0]
    assert pool.price == Price(prompt=0.1 / 1e6, completion=0.3 / 1e6, cached_prompt=0.02 / 1e6)


def test_a_pool_may_have_a_shorter_context_than_its_model() -> None:
    pool, _ = parse(with_pool(context_length=4096), source="router.yaml").pools()[0]
    assert pool.context_length == 4096


def test_a_model_without_a_name_is_called_by_its_id() -> None:
    card = parse(GOOD, source="router.yaml").models[0].card()
    assert (card.name, card.output_modalities) == ("m/eyes", ("text",))


def test_a_secret_comes_from_exactly_one_place() -> None:
    assert "exactly one" in mistakes({**GOOD, "keys": [{"name": "me", "secret": {"value": "k", "env": "K"}}]})


def test_secrets_are_read_from_the_environment_and_from_files(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-file\n")
    assert Secret(env="KEY").read({"KEY": "from-env"}) == "from-env"
    assert Secret(file=tmp_path / "key").read({}) == "from-file"


def test_a_missing_secret_is_told_by_its_source(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="environment variable KEY is empty or not set"):
        Secret(env="KEY").read({})
    with pytest.raises(ConfigError, match=r"cannot read the secret file .*nowhere: No such file"):
        Secret(file=tmp_path / "nowhere").read({})


def test_secrets_do_not_show_in_what_is_printed() -> None:
    config = Config.model_validate({**GOOD, "keys": [{"name": "me", "secret": {"value": "canary"}}]})
    assert "canary" not in repr(read_secrets(config, {}))
    assert "canary" not in repr(config)


def test_a_file_that_cannot_be_read_is_told_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*missing.yaml: No such file"):
        load(tmp_path / "missing.yaml")
    (tmp_path / "list.yaml").write_text("- 1\n")
    with pytest.raises(ConfigError, match="must hold a mapping"):
        load(tmp_path / "list.yaml")
    (tmp_path / "broken.yaml").write_text("a: [\n")
    with pytest.raises(ConfigError, match="is not YAML"):
        load(tmp_path / "broken.yaml")


def test_a_secret_of_the_mesh_that_is_too_short_is_refused_with_a_way_to_make_one() -> None:
    config = parse({**GOOD, "mesh": {"secret": {"value": "short"}}}, source="router.yaml")
    with pytest.raises(ConfigError, match=r"^mesh.secret: must have at least 16 bytes; `openssl"):
        read_secrets(config, {})


def test_a_vocabulary_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / "tekken.json"
    with pytest.raises(ConfigError, match=rf"^vocabulary {file}: cannot be used"):
        read_vocabularies(parse(with_pool(vocabulary=str(file)), source="router.yaml"))
    file.write_text("{}")
    with pytest.raises(ConfigError, match=rf"^vocabulary {file}: cannot be used"):
        read_vocabularies(parse(with_pool(vocabulary=str(file)), source="router.yaml"))


def test_a_pools_vocabulary_goes_before_the_common_one_and_none_is_read_where_events_are_off() -> None:
    weights = Path(__file__).parents[2] / "serving" / "pocket" / "weights" / "tekken.json"
    common = {**with_pool(), "kv_events": {"vocabulary": "/nowhere"}}
    own = {**with_pool(vocabulary=str(weights)), "kv_events": {"vocabulary": "/nowhere"}}
    assert ["local"] == list(read_vocabularies(parse(own, source="router.yaml")))
    with pytest.raises(ConfigError, match="/nowhere"):
        read_vocabularies(parse(common, source="router.yaml"))
    off = {**common, "kv_events": {"vocabulary": "/nowhere", "enabled": False}}
    assert {} == read_vocabularies(parse(off, source="router.yaml"))


def test_keys_have_the_priority_they_were_given() -> None:
    keys = [
        {"name": "me", "secret": {"value": "k"}},
        {"name": "pager", "secret": {"value": "l"}, "priority": "critical"},
    ]
    secrets = read_secrets(parse({**GOOD, "keys": keys}, source="router.yaml"), {})
    assert {"k": Priority.NORMAL, "l": Priority.CRITICAL} == {
        secret: key.priority for secret, key in secrets.keys.items()
    }


def test_a_key_has_the_limits_it_was_given() -> None:
    key = {
        "name": "me",
        "secret": {"value": "k"},
        "rates": {"requests_per_min": 5, "concurrent": 2},
        "models": ["m"],
        "providers": ["local"],
    }
    (read,) = read_secrets(parse({**GOOD, "keys": [key]}, source="router.yaml"), {}).keys.values()
    assert ("config:me", Rates(5, None, 2)) == (read.id, read.rates)
    assert (frozenset({"m"}), frozenset({"local"}), False) == (read.models, read.providers, read.is_management)


def test_responses_are_kept_in_a_database_or_not_at_all() -> None:
    kept = {"responses": {"store": True}}
    with pytest.raises(ConfigError, match=r"responses\.store: .* database\.url"):
        parse({**GOOD, **kept}, source="router.yaml")
    assert parse({**GOOD, **kept, "database": {"url": {"value": "sqlite:///x"}}}, source="router.yaml").responses.store


def test_the_bootstrap_key_manages_and_is_in_no_database() -> None:
    accounts = {"database": {"url": {"value": "sqlite:///x"}}, "accounts": {"bootstrap": {"value": "boot"}}}
    secrets = read_secrets(parse({**GOOD, **accounts}, source="router.yaml"), {})
    assert ("bootstrap", True, "sqlite:///x") == (
        secrets.keys["boot"].id, secrets.keys["boot"].is_management, secrets.database,
    )  # fmt: skip
    assert "sqlite" not in repr(secrets)


@pytest.mark.parametrize(
    ("sections", "problem"),
    [
        ({"accounts": {"bootstrap": {"value": "b"}}}, "accounts.bootstrap"),
        ({"oidc": {"issuer": "https://i", "audience": "a", "limit": 5}}, "oidc.limit"),
        ({"oidc": {"issuer": "http://i.example", "audience": "a"}}, "https"),
        ({"oidc": {"issuer": "https://i", "audience": "a", "algorithms": ["HS256"]}}, "algorithms"),
        ({"quotas": {"concurrent": 0}}, "concurrent"),
        ({"ledger": {"spool": {"when_full": "shrug"}}}, "ledger.spool.when_full"),
        ({"listen": {"metrics": {"port": 9, "tls": True}}}, "listen.tls"),
    ],
)
def test_what_does_not_fit_together_is_refused_with_a_sentence(sections: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        parse({**GOOD, **sections}, source="router.yaml")


def test_salts_need_a_secret() -> None:
    config = parse({**GOOD, "isolation": {"cache_salt": "key"}}, source="router.yaml")
    with pytest.raises(ConfigError, match=r"isolation\.secret"):
        read_secrets(config, {})


def test_an_identity_provider_gives_its_callers_their_terms() -> None:
    oidc = {"issuer": "https://id.example", "audience": "llm", "priority": "critical", "rates": {"concurrent": 3}}
    config = parse({**GOOD, "oidc": oidc}, source="router.yaml")
    assert config.oidc is not None
    terms = config.oidc.settings().terms
    assert (Priority.CRITICAL, Rates(concurrent=3)) == (terms.priority, terms.rates)
