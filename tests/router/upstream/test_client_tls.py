"""Endpoints behind TLS: a certificate that is trusted, and what is said of one that is not."""

import asyncio
import ssl

import pytest
import trustme

from router.policy.outcome import Outcome, Verdict
from router.upstream.client import Client
from tests import fault_behaviours as faults
from tests.faults import FaultServer
from tests.router.upstream.support import BODY, PATH, Run, attempt_at


@pytest.fixture(scope="module")
def ours() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def others() -> trustme.CA:
    return trustme.CA()


def server_of(ca: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(name).configure_cert(context)
    return context


def client_that_trusts(ca: trustme.CA) -> Client:
    def context() -> ssl.SSLContext:
        made = ssl.create_default_context()
        ca.configure_trust(made)
        return made

    return Client(tls=context)


@pytest.mark.parametrize("stream", [True, False])
def test_an_endpoint_behind_tls_answers_on_one_connection(run: Run, ours: trustme.CA, stream: bool) -> None:
    async def main() -> None:
        good = faults.good_stream if stream else faults.good_answer
        async with FaultServer(good, tls=server_of(ours)) as server, client_that_trusts(ours) as client:
            for _ in range(2):
                reply = await client.send(attempt_at(server.url), PATH, BODY, stream=stream)
                body = reply.body
                while more := await reply.read():
                    body += more
                assert (b"".join(faults.STREAM) if stream else faults.ANSWER) == body
            assert (2, 1) == (len(server.requests), server.accepted)

    run(main())


@pytest.mark.parametrize("name", ["127.0.0.1", "elsewhere"])
def test_a_certificate_that_proves_nothing_is_no_endpoint(
    run: Run, ours: trustme.CA, others: trustme.CA, name: str
) -> None:
    async def main() -> None:
        issuer = others if name == "127.0.0.1" else ours
        async with FaultServer(faults.good_answer, tls=server_of(issuer, name)) as server:
            async with client_that_trusts(ours) as client:
                reply = await client.send(attempt_at(server.url), PATH, BODY, stream=False)
            assert Outcome(Verdict.UNAVAILABLE, detail="the TLS certificate is not valid") == reply.outcome
            assert [] == server.requests

    run(main())


def test_an_endpoint_that_knows_no_tls_is_none(run: Run) -> None:
    async def main() -> None:
        async def speak_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(faults.head(400))
            writer.close()

        server = await asyncio.start_server(speak_http, "127.0.0.1", 0)
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server, Client() as client:
            reply = await client.send(attempt_at(url), PATH, BODY, stream=False)
            assert Outcome(Verdict.UNAVAILABLE, detail="the TLS handshake failed") == reply.outcome

    run(main())
