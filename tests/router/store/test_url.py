"""Addresses of databases."""

from pathlib import Path

import pytest

from router.store.url import Kind, parse


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("sqlite:///router.db", "router.db"),
        ("sqlite:////var/lib/router.db", "/var/lib/router.db"),
        ("sqlite:///a%20b.db", "a b.db"),
    ],
)
def test_sqlite_has_a_path(text: str, path: str) -> None:
    assert (Kind.SQLITE, Path(path)) == (parse(text).kind, parse(text).path)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
def test_postgresql_goes_to_the_driver_as_it_is(scheme: str) -> None:
    rest = "u:p%40w@h1:5432,h2/db?sslmode=verify-full"
    assert (Kind.POSTGRESQL, f"postgresql://{rest}") == (
        parse(f"{scheme}://{rest}").kind,
        parse(f"{scheme}://{rest}").text,
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "router.db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "mysql://u:hunter2@h/db",
        "postgresql:u:hunter2@h",
        "postgresql://u:hunter2@h:port/db",
        "postgresql://u:hunter2@h:99999/db",
    ],
)
def test_other_addresses_are_refused_without_repeating_them(text: str) -> None:
    with pytest.raises(ValueError, match=r"sqlite:///|postgresql://") as caught:
        parse(text)
    assert "hunter2" not in str(caught.value)


def test_passwords_are_not_shown() -> None:
    url = parse("postgresql://u:hunter2@h/db")
    assert "hunter2" not in f"{url} {url!r}"
