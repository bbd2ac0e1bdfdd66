import asyncio

import pytest

from router.api.auth import Authenticator
from router.api.oidc import TokenLogins
from router.protocol.errors import ApiError
from router.protocol.secret import digest_of
from router.upstream.jwks import Jwks
from router.upstream.session import open_session
from tests.router.protocol.tokens_by_hand import NOW, claims, jwk, key_set, rsa_key, token
from tests.router.upstream.identity_provider import provider


def bearer(raw: bytes) -> list[tuple[bytes, bytes]]:
    return [(b"authorization", b"Bearer " + raw)]


def test_a_token_is_checked_once_in_a_while_and_never_believed_beyond_its_end() -> None:
    async def test() -> None:
        now = [NOW]
        async with provider() as issuer, open_session(keepalive_s=5) as session:
            jwks = Jwks(session, issuer.settings(), clock=lambda: now[0])
            await jwks.fetch()
            logins = TokenLogins(jwks, issuer.settings(), wall_clock=lambda: now[0])
            keys = Authenticator({}, logins=logins, wall_clock=lambda: now[0])
            raw = token(claims(iss=issuer.url, exp=NOW + 400))
            for _ in range(3):
                assert (await keys.authenticate(bearer(raw))).id == "oidc:oidc:ada"
            assert logins.checks == 1
            now[0] = NOW + 300
            await keys.authenticate(bearer(raw))
            assert logins.checks == 2
            now[0] = NOW + 400
            await keys.authenticate(bearer(raw))  # within the leeway, but not from memory
            assert logins.checks == 3
            now[0] = NOW + 430
            with pytest.raises(ApiError, match="expired"):
                await keys.authenticate(bearer(raw))

    asyncio.run(test())


def test_two_tokens_that_begin_alike_are_two() -> None:
    async def test() -> None:
        async with provider() as issuer, open_session(keepalive_s=5) as session:
            jwks = Jwks(session, issuer.settings(), clock=lambda: 0.0)
            await jwks.fetch()
            keys = Authenticator(
                {}, logins=TokenLogins(jwks, issuer.settings(), wall_clock=lambda: NOW), wall_clock=lambda: NOW
            )
            ada, bob = (token(claims(iss=issuer.url, sub=name)) for name in ("ada", "bob"))
            assert ada[:20] == bob[:20]
            assert (await keys.authenticate(bearer(ada))).name == "ada"
            assert (await keys.authenticate(bearer(bob))).name == "bob"
            forged = ada[:-8] + b"AAAAAAAA"
            with pytest.raises(ApiError, match="signature"):
                await keys.authenticate(bearer(forged))

    asyncio.run(test())


def test_a_withdrawn_key_ends_its_tokens() -> None:
    async def test() -> None:
        now = [NOW]
        async with provider() as issuer, open_session(keepalive_s=5) as session:
            jwks = Jwks(session, issuer.settings(), clock=lambda: now[0])
            await jwks.fetch()
            logins = TokenLogins(jwks, issuer.settings(), wall_clock=lambda: now[0])
            raw = token(claims(iss=issuer.url, exp=NOW + 4_000))
            await logins.find(raw, digest_of(raw))
            issuer.keys = key_set(jwk(rsa_key("second"), "k2"))
            await jwks.fetch()
            now[0] += 300
            assert logins.get(digest_of(raw)) is None
            with pytest.raises(ApiError, match="nobody knows the key"):
                await asyncio.gather(logins.find(raw, digest_of(raw)), jwks.fetch())

    asyncio.run(test())


def test_while_no_keys_are_to_be_had_a_token_is_not_refused_for_good() -> None:
    async def test() -> None:
        async with provider() as issuer, open_session(keepalive_s=5) as session:
            issuer.status = 500
            jwks = Jwks(session, issuer.settings(), clock=lambda: 0.0)
            await jwks.fetch()
            keys = Authenticator(
                {}, logins=TokenLogins(jwks, issuer.settings(), wall_clock=lambda: NOW), wall_clock=lambda: NOW
            )
            with pytest.raises(ApiError) as caught:
                await keys.authenticate(bearer(token(claims(iss=issuer.url))))
            assert (caught.value.status, caught.value.retry_after_s) == (503, 10)

    asyncio.run(test())


def test_only_so_many_tokens_are_remembered() -> None:
    async def test() -> None:
        async with provider() as issuer, open_session(keepalive_s=5) as session:
            settings = issuer.settings(tokens=2)
            jwks = Jwks(session, settings, clock=lambda: 0.0)
            await jwks.fetch()
            logins = TokenLogins(jwks, settings, wall_clock=lambda: NOW)
            raws = [token(claims(iss=issuer.url, sub=f"s{number}")) for number in range(3)]
            for raw in raws:
                await logins.find(raw, digest_of(raw))
            assert [logins.get(digest_of(raw)) is not None for raw in raws] == [False, True, True]

    asyncio.run(test())
