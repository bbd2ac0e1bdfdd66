"""How providers are described, and what is refused of it."""

from pathlib import Path
from typing import Any

import pytest
import trustme

from router.policy.catalog import Dialect
from router.protocol.dialects.words import Words
from router.upstream.provider_settings import ProviderSettings

URL = "https://openrouter.ai/api/v1"


def provider(**fields: Any) -> ProviderSettings:
    return ProviderSettings(**{"slug": "openrouter", "url": URL, **fields})


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"url": "openrouter.ai"}, "url: must be http"),
        ({"url": "https://user@a.example"}, "url: must be http"),
        ({"url": "https://a.example/v1?key=1"}, "url: must be http"),
        ({"url": "http://a.example"}, "url: must be https"),
        ({"dialect": Dialect.VLLM}, "dialect: must be openai or anthropic"),
        ({"key": "a\r\nb"}, "key: must be printable"),
        ({"key": " a"}, "key: must be printable"),
        ({"headers": {"Host": "a"}}, "headers: 'Host' cannot be set"),
        ({"headers": {"X Y": "a"}}, "headers: 'X Y' cannot be set"),
        ({"headers": {"": "a"}}, "headers: '' cannot be set"),
        ({"headers": {"X-A": "a\nb"}}, "headers: the value of 'X-A' must be printable"),
        ({"max_concurrent": 0}, "max_concurrent: must be at least 1"),
        ({"requests_per_min": 0}, "requests_per_min: must be at least 1"),
        ({"keepalive_s": 0}, "keepalive_s: must be above 0"),
        ({"certificate_key": Path("k.pem")}, "certificate_key: needs a certificate"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as refused:
        provider(**fields)
    assert "a\r\nb" not in str(refused.value)


def test_plain_http_must_be_wished() -> None:
    assert "http://router:8080/v1" == provider(url="http://router:8080/v1/", insecure=True).base


def test_headers_of_each_dialect_and_those_that_were_given_instead() -> None:
    assert {} == provider().own_headers()
    assert {"Authorization": "Bearer k"} == provider(key="k").own_headers()
    assert {"authorization": "Api-Key x"} == provider(key="k", headers={"authorization": "Api-Key x"}).own_headers()
    anthropic = provider(dialect=Dialect.ANTHROPIC, key="k", headers={"Anthropic-Version": "2027-01-01"})
    assert {"x-api-key": "k", "Anthropic-Version": "2027-01-01"} == anthropic.own_headers()
    assert {"anthropic-version": "2023-06-01"} == provider(dialect=Dialect.ANTHROPIC).own_headers()


def test_secrets_are_the_key_and_what_headers_prove_us_with() -> None:
    headers = {"X-Title": "Our router", "Api-Key": "another-secret", "Cookie": "short"}
    assert ("another-secret", "long-enough") == provider(key="long-enough", headers=headers).secrets()
    assert () == provider(key="short").secrets()


def test_names_and_words() -> None:
    assert ("openrouter", "OpenRouter") == (provider().display_name, provider(name="OpenRouter").display_name)
    words = provider(renames={"seed": "random_seed"}, asks_usage=False).words(b"k")
    assert Words(renames={"seed": "random_seed"}, asks_usage=False, user_key=b"k") == words


def test_certificates_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    ca = trustme.CA()
    ours, rubbish = tmp_path / "ours.pem", tmp_path / "rubbish.pem"
    ca.issue_cert("us").private_key_and_cert_chain_pem.write_to_path(str(ours))
    rubbish.write_text("nothing")
    with pytest.raises(ValueError, match=r"ca_file: .*rubbish.pem cannot be used"):
        provider(ca_file=rubbish).tls()
    with pytest.raises(ValueError, match=r"ca_file: .*none.pem cannot be used: no such file"):
        provider(ca_file=tmp_path / "none.pem").tls()
    with pytest.raises(ValueError, match=r"certificate: .*rubbish.pem cannot be used"):
        provider(certificate=rubbish).tls()
    assert provider(certificate=ours).tls().check_hostname
