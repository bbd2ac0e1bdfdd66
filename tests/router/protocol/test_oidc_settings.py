import pytest

from router.protocol.oidc_settings import OidcSettings


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("issuer", ""),
        ("audience", ""),
        ("name", "A b"),
        ("algorithms", ()),
        ("algorithms", ("none",)),
        ("algorithms", ("HS256",)),
        ("management_claim", "roles"),
        ("leeway_s", -1),
        ("leeway_s", 301),
        ("jwks_ttl_s", 0),
        ("jwks_min_s", 0),
        ("jwks_timeout_s", 0),
        ("cache_s", 0),
        ("jwks_stale_s", 1),
        ("tokens", 0),
    ],
)
def test_settings_that_would_let_anybody_in_are_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{field}"):
        OidcSettings(**({"issuer": "https://i", "audience": "a"} | {field: value}))  # type: ignore[arg-type]
