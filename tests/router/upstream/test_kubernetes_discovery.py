"""The directory follows a Service's EndpointSlices, and survives the API server."""

import asyncio
import json
import logging
import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import trustme
from kubernetes import client

from router.protocol.kubernetes.members import Wanted
from router.upstream.directory import Directory
from router.upstream.kubernetes_access import Access
from router.upstream.kubernetes_discovery import KubernetesDiscovery
from router.upstream.kubernetes_settings import KubernetesSettings
from router.upstream.session import open_session
from tests import fault_behaviours as faults
from tests.faults import Behaviour, Exchange, FaultServer, refusing_port
from tests.kubernetes_server import (
    EXPIRED,
    LABEL,
    NAMESPACE,
    SERVICE,
    ApiServer,
    as_json,
    event,
    leaving,
    pod,
    slice_of,
    status,
)
from tests.router.upstream.support import Run, pass_time

SETTINGS = KubernetesSettings(backoff_s=0.001, backoff_max_s=0.002)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not is_so():  # noqa: ASYNC110 - what is waited for comes over a socket
            await asyncio.sleep(0)


async def at_once(_: float) -> None:
    await asyncio.sleep(0)


class Found:
    """A discovery of one pool that runs, and what came of it."""

    def __init__(self, discovery: KubernetesDiscovery, directory: Directory) -> None:
        self.discovery = discovery
        self.gone: list[str] = []
        self._directory = directory
        directory.on_removed(self.gone.append)

    def names(self) -> list[str]:
        """Of the pods."""
        return [each.id.rpartition("/")[2].partition(":")[0] for each in self._directory.endpoints("pool")]

    async def are(self, *names: str) -> None:
        await until(lambda: [*names] == self.names())

    async def watches(self, count: int) -> None:
        """So many watches have begun, also for us."""
        await until(lambda: self.discovery.watches == count)


@asynccontextmanager
async def discovery(
    server: ApiServer | str,
    settings: KubernetesSettings = SETTINGS,
    *,
    token: Callable[[], str | None] | None = None,
    ca_file: Path | None = None,
    wanted: Wanted | None = None,
    sleep: Callable[[float], Awaitable[object]] = at_once,
    runs: bool = True,
) -> AsyncIterator[Found]:
    url = server if isinstance(server, str) else server.url
    access = Access(url, NAMESPACE, {}, token=token, ca_file=ca_file)
    directory = Directory(clock=lambda: 0.0)
    async with open_session(keepalive_s=3.0) as session:
        made = KubernetesDiscovery(
            session=session,
            directory=directory,
            pool_name="pool",
            access=access,
            wanted=wanted or Wanted(SERVICE, ""),
            settings=settings,
            chance=lambda: 0.5,
            sleep=sleep,
        )
        task = asyncio.create_task(made.run()) if runs else None
        try:
            yield Found(made, directory)
        finally:
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith("router.")]


A, B, C = (pod(f"e{n}", f"10.0.0.{n}") for n in (1, 2, 3))
A_LEAVES = leaving("e1", "10.0.0.1")


def test_endpoints_appear_and_leave_as_the_watch_says_and_listeners_are_told(run: Run) -> None:
    async def main() -> None:
        async with ApiServer().open() as server, discovery(server) as found:
            server.put(slice_of("a", A), slice_of("other", B, service="other"))
            await found.are("e1")
            server.put(slice_of("a", A, B))
            await found.are("e1", "e2")
            server.put(slice_of("b", C))
            await found.are("e1", "e2", "e3")
            server.put(slice_of("a", A_LEAVES, B))
            await found.are("e2", "e3")
            server.delete("b")
            await found.are("e2")
            assert ["serving/e1:8000", "serving/e3:8000"] == found.gone
            assert (1, 1) == (server.lists, server.watches)
            assert (1, 1) == (found.discovery.lists, found.discovery.watches)
            assert found.discovery.events >= 4

    run(main())


def test_it_asks_for_what_it_wants_and_no_more(run: Run) -> None:
    async def main() -> None:
        async with ApiServer().open() as server, discovery(server, token=lambda: "t") as found:
            server.put(slice_of("a", A))
            await found.are("e1")
            await until(lambda: server.watching == 1)
            listed, watched = server.http.requests
            path = "/apis/discovery.k8s.io/v1/namespaces/serving/endpointslices"
            assert [path, path] == [urlsplit(each.path).path for each in (listed, watched)]
            selector = {"labelSelector": ["kubernetes.io/service-name=engines"]}
            assert {**selector, "limit": ["100"]} == parse_qs(urlsplit(listed.path).query)
            assert {
                **selector,
                "watch": ["1"],
                "resourceVersion": parse_qs(urlsplit(watched.path).query)["resourceVersion"],
                "allowWatchBookmarks": ["true"],
                "timeoutSeconds": ["450"],
            } == parse_qs(urlsplit(watched.path).query)
            assert ["Bearer t"] * 2 == [each.headers["authorization"] for each in (listed, watched)]

    run(main())


def test_a_list_is_read_page_by_page(run: Run) -> None:
    async def main() -> None:
        async with ApiServer().open() as server:
            server.put(*(slice_of(f"s{n}", pod(f"e{n}", f"10.0.0.{n + 1}")) for n in range(5)))
            async with discovery(server, replace(SETTINGS, page_slices=2)) as found:
                await found.are("e0", "e1", "e2", "e3", "e4")
                assert 3 == server.lists

    run(main())


def test_a_page_that_is_forgotten_begins_the_list_anew(run: Run) -> None:
    async def main() -> None:
        async with ApiServer().open() as server:
            server.put(slice_of("a", A), slice_of("b", B))

            async def first_page_then_forget(exchange: Exchange) -> None:
                await server._answer(exchange)
                server.forget()

            server.instead_of_lists = [first_page_then_forget]
            async with discovery(server, replace(SETTINGS, page_slices=1)) as found:
                await found.are("e1", "e2")
                assert 4 == server.lists

    run(main())


@pytest.mark.parametrize("in_an_event", [False, True])
def test_a_past_that_is_forgotten_is_listed_anew(run: Run, in_an_event: bool, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with ApiServer().open() as server:
            server.tells_of_the_end_in_an_event = in_an_event
            server.put(slice_of("a", A))
            async with discovery(server) as found:
                await found.are("e1")
                await until(lambda: server.watching == 1)
                server.lost = 1
                server.put(slice_of("a", A_LEAVES, B))
                server.forget()
                server.end_watches(faults.then_close())
                await found.are("e2")
                assert 2 == server.lists
                server.put(slice_of("a", C))  # and it goes on
                await found.are("e3")

    run(main())
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]  # this is no trouble


@pytest.mark.parametrize(
    "end",
    [
        None,
        faults.then_close(),
        faults.reset_before_head,
        faults.then_close(b"5\r\nhalf"),
    ],
    ids=["in order", "closed", "reset", "within a chunk"],
)
def test_a_watch_that_ends_is_resumed_where_it_was(run: Run, end: Behaviour | None) -> None:
    async def main() -> None:
        async with ApiServer().open() as server, discovery(server) as found:
            server.put(slice_of("a", A))
            await found.are("e1")
            for pods in ([B], [A], [C]):
                await until(lambda: server.watching == 1)
                server.end_watches(end)
                await until(lambda: server.watching == 0)
                server.put(slice_of("a", *pods))
                await found.are(pods[0].target_ref.name)
            assert 1 == server.lists

    run(main())


def test_a_bookmark_moves_where_a_watch_is_resumed(run: Run) -> None:
    async def main() -> None:
        async with ApiServer().open() as server, discovery(server) as found:
            server.put(slice_of("a", A))
            await found.are("e1")
            await until(lambda: server.watching == 1)
            server.put(slice_of("other", service="other"))
            server.bookmark()
            server.put(slice_of("a", B))
            await found.are("e2")
            server.forget()  # but not what came since
            server.end_watches()
            await until(lambda: server.watches == 2 and server.watching == 1)
            assert 1 == server.lists

    run(main())


def test_order_and_doubling_do_not_bring_a_leaving_endpoint_back(run: Run) -> None:
    async def main() -> None:
        async with ApiServer().open() as server, discovery(server) as found:
            server.put(slice_of("a", A, B))
            await found.are("e1", "e2")
            await until(lambda: server.watching == 1)
            server.hold()
            server.put(slice_of("a", A, B, C))
            server.put(slice_of("a", A_LEAVES, B))
            server.put(slice_of("b", C))
            server.delete("b")
            before = found.discovery.events
            server.release(1, 0, 3, 2, 0, 1, 2)
            await until(lambda: found.discovery.events == before + 7)
            assert ["e2"] == found.names()
            assert ["serving/e1:8000"] == found.gone

    run(main())


def test_an_event_that_is_lost_is_made_up_for_by_the_next_list(run_in_time: Run) -> None:
    async def main() -> None:
        async with ApiServer().open() as server, discovery(server) as found:
            server.put(slice_of("a", A, B))
            await found.are("e1", "e2")
            await found.watches(1)
            server.lost = 1
            server.put(slice_of("a", A_LEAVES, B))
            for count in range(2, 21):  # silences of 30 s, each of which ends a watch
                await pass_time(30.5)
                await found.watches(count)
                assert (["e1", "e2"], 1) == (found.names(), server.lists)
            await pass_time(30.5)
            await found.are("e2")

    run_in_time(main())


def test_a_silent_watch_is_taken_for_dead_and_resumed(run_in_time: Run) -> None:
    async def main() -> None:
        async with ApiServer().open() as server, discovery(server) as found:
            server.put(slice_of("a", A))
            await found.are("e1")
            await found.watches(1)
            server.end_watches(faults.hang())  # as if the machine behind the connection was gone
            await until(lambda: server.watching == 0)
            server.put(slice_of("a", B))
            await pass_time(29)
            assert ["e1"] == found.names()
            await pass_time(2)
            await found.are("e2")
            assert (1, 2) == (server.lists, server.watches)

    run_in_time(main())


def test_a_watch_that_never_begins_is_given_up(run_in_time: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with ApiServer().open() as server:
            server.put(slice_of("a", A))
            server.instead_of_watches = [faults.silent]
            async with discovery(server) as found:
                await until(lambda: server.watches == 1)
                await pass_time(10.1)
                await found.watches(1)
                server.put(slice_of("a", B))
                await found.are("e2")

    run_in_time(main())
    assert "no answer from the API server (TimeoutError); keeping the 1 endpoints last known" in caplog.text


def test_a_watch_that_the_server_should_have_ended_is_ended(run_in_time: Run) -> None:
    async def main() -> None:
        async with ApiServer().open() as server:
            server.put(slice_of("a", A))
            # it says things without end, and none of them is a whole line
            server.instead_of_watches = [faults.comments_for_ever(faults.head(transfer_encoding="chunked"))]
            settings = replace(SETTINGS, watch_s=10, resync_s=10_000, line_bytes=99_999_999)
            async with discovery(server, settings) as found:
                await found.are("e1")
                await found.watches(1)
                await pass_time(26)
                await found.watches(2)

    run_in_time(main())


FORBIDDEN = status(403, "Forbidden", 'User "system:serviceaccount:x:y" cannot list resource "endpointslices"')
LIST_REFUSED = (
    "refused to list endpointslices.discovery.k8s.io in namespace 'serving': give the router's ServiceAccount"
)
BIG = faults.hang(faults.head(content_length="99999999") + b" " * 33_600_000)


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (faults.whole(401, status(401, "Unauthorized", "Unauthorized")), "wants a token, and none is configured"),
        (faults.whole(403, FORBIDDEN), LIST_REFUSED),
        (faults.whole(403, FORBIDDEN), "cannot list resource"),
        (faults.whole(404, status(404, "NotFound", "no")), "there is no API discovery.k8s.io/v1 at http://127.0.0.1"),
        (faults.whole(302, b"", location="http://127.0.0.1:1/"), "answered HTTP 302"),
        (faults.internal_error, "answered HTTP 500"),
        (faults.rate_limited, "answered HTTP 429"),
        (faults.html, "no list of EndpointSlices"),
        (faults.whole(200, b'{"items": '), "no list of EndpointSlices"),
        (faults.whole(200, b'{"metadata":{"resourceVersion":""},"items":[]}'), "it has no resourceVersion"),
        (faults.garbage, "no answer from the API server"),
        (faults.shorter_than_its_length, "no answer from the API server"),
        (faults.reset_before_head, "no answer from the API server"),
        (BIG, "larger than 33554432 bytes"),
    ],
    ids="401 403 403-message 404 302 500 429 HTML bad-JSON no-version garbage truncated reset huge".split(),
)
def test_while_the_api_server_cannot_tell_the_endpoints_last_known_stay(
    run: Run, caplog: pytest.LogCaptureFixture, trouble: Behaviour, words: str
) -> None:
    async def main() -> None:
        async with ApiServer().open() as server:
            server.put(slice_of("a", A, B))
            async with discovery(server) as found:
                await found.are("e1", "e2")
                await until(lambda: server.watching == 1)
                server.lost = 1
                server.put(slice_of("a", A))
                server.instead_of_lists = [trouble] * 4
                server.instead_of_watches = [faults.whole(410, EXPIRED)]
                server.end_watches()
                await until(lambda: not server.instead_of_lists)
                assert ["e1", "e2"] == found.names()
                await found.are("e1")
                assert ["serving/e2:8000"] == found.gone

    with caplog.at_level(logging.INFO):
        run(main())
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert 1 == len(warnings)  # not one for each try
    assert words in warnings[0]
    assert "; keeping the 2 endpoints last known" in warnings[0]
    assert "pool pool: discovery works again" == said(caplog)[-1]


def test_a_watch_that_is_forbidden_names_the_verb(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with ApiServer().open() as server:
            server.put(slice_of("a", A))
            server.instead_of_watches = [faults.whole(403, FORBIDDEN)]
            async with discovery(server) as found:
                await found.are("e1")
                await until(lambda: server.watching == 1)

    run(main())
    assert "refused to watch endpointslices.discovery.k8s.io" in caplog.text


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"<html>\n", "told of no EndpointSlice"),
        (event("MOVED", {}), "unknown: 'MOVED'"),
        (event("ERROR", json.loads(status(500, "InternalError", "etcd is away"))), "the watch failed: InternalError"),
        (b" " * 70_000, "an event is larger than 65536 bytes"),
    ],
    ids=["nonsense", "unknown", "error", "endless line"],
)
def test_after_nonsense_in_a_watch_everything_is_listed_anew(
    run: Run, caplog: pytest.LogCaptureFixture, line: bytes, words: str
) -> None:
    async def main() -> None:
        async with ApiServer().open() as server:
            server.put(slice_of("a", A))
            async with discovery(server, replace(SETTINGS, line_bytes=65_536)) as found:
                await found.are("e1")
                await until(lambda: server.watching == 1)
                server.hold()
                server.put(slice_of("a", A_LEAVES, B))
                server.release()  # nothing: what nonsense stands for may be this
                server.say(line)
                await found.are("e2")
                assert 2 == server.lists

    run(main())
    assert words in caplog.text


def test_what_came_before_nonsense_is_taken_in(run: Run) -> None:
    async def main() -> None:
        async with ApiServer().open() as server:
            server.put(slice_of("a", A, B))
            async with discovery(server) as found:
                await found.are("e1", "e2")
                await until(lambda: server.watching == 1)
                server.instead_of_lists = [faults.silent]
                leaves = as_json(slice_of("a", A_LEAVES, B))
                leaves["metadata"]["resourceVersion"] = str(server.version + 1)
                server.say(event("MODIFIED", leaves) + b"<html>\n")
                await found.are("e2")

    run(main())


def test_more_slices_than_a_service_can_have_are_refused(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with ApiServer().open() as server:
            server.put(*(slice_of(f"s{n}") for n in range(3)))
            endless = faults.whole(200, b'{"metadata":{"resourceVersion":"7","continue":"x"},"items":[]}')
            for page_slices in (1, 100):
                async with discovery(server, replace(SETTINGS, max_slices=2, page_slices=page_slices)) as found:
                    await until(lambda: "more than 2 EndpointSlices" in caplog.text)
                    assert [] == found.names()
                caplog.clear()
            server.instead_of_lists = [endless] * 2
            async with discovery(server, replace(SETTINGS, max_slices=2)):
                await until(lambda: "more than 2 EndpointSlices" in caplog.text)

    run(main())


def test_where_only_lists_fail_watching_goes_on(run_in_time: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with ApiServer().open() as server:
            server.put(slice_of("a", A))
            settings = replace(SETTINGS, resync_s=20, backoff_max_s=5)
            async with discovery(server, settings) as found:
                await found.are("e1")
                await found.watches(1)
                server.instead_of_lists = [faults.overloaded, faults.reset_before_head, faults.reset_before_head]
                await pass_time(21)
                await found.watches(2)
                server.put(slice_of("a", B))
                await found.are("e2")
                await pass_time(6)
                await found.watches(3)
                await pass_time(6)
                await until(lambda: found.discovery.lists == 2)

    with caplog.at_level(logging.INFO):
        run_in_time(main())
    notes = [each for each in said(caplog) if "endpoints are now" not in each]
    assert 3 == len(notes)
    assert "the API server answered HTTP 503" in notes[0]
    assert "no answer from the API server" in notes[1]
    assert "pool pool: discovery works again" == notes[2]


def test_an_api_server_that_is_away_is_asked_less_and_less_often(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        with refusing_port() as url:
            settings = KubernetesSettings(backoff_s=1, backoff_max_s=6)
            async with discovery(url, settings, runs=False) as found:
                assert [0.75, 1.5, 3.0, 4.5, 4.5] == [await found.discovery.step() for _ in range(5)]
                assert [] == found.names()

    run(main())
    assert ["pool pool: no answer from the API server (ClientConnectorError); keeping the 0 endpoints last known"] == (
        said(caplog)
    )


def test_it_waits_as_long_as_the_server_asks_within_reason(run: Run) -> None:
    async def main() -> None:
        async with ApiServer().open() as server:
            server.instead = [
                faults.whole(429, b"", retry_after=after) for after in ("3", "3600", "Wed, 21 Oct 2026 07:28:00 GMT")
            ]
            settings = KubernetesSettings(backoff_s=1, backoff_max_s=6)
            async with discovery(server, settings, runs=False) as found:
                assert [3.0, 6.0, 3.0] == [await found.discovery.step() for _ in range(3)]

    run(main())


def test_a_server_that_ends_every_watch_at_once_is_not_asked_without_pause(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with ApiServer().open() as server:
            over = faults.whole(200, b"")
            server.put(slice_of("a", A))
            server.instead_of_watches = [over] * 4
            settings = KubernetesSettings(backoff_s=1, backoff_max_s=6)
            async with discovery(server, settings, runs=False) as found:
                assert [0.75, 1.5, 3.0, 4.5] == [await found.discovery.step() for _ in range(4)]
                talks = faults.whole(200, event("MODIFIED", as_json(slice_of("a", B))))
                server.instead_of_watches = [talks] * 2
                assert [0.75, 0.75] == [await found.discovery.step() for _ in range(2)]
                assert (["e2"], 1) == (found.names(), server.lists)

    run(main())
    assert 1 == caplog.text.count("watches of the API server end at once")


def test_a_watch_that_lasted_is_resumed_without_a_pause(run_in_time: Run) -> None:
    async def main() -> None:
        async with ApiServer().open() as server, discovery(server, runs=False) as found:
            server.put(slice_of("a", A))
            stepping = asyncio.create_task(found.discovery.step())
            await found.watches(1)
            await pass_time(2)
            server.end_watches()
            assert 0.0 == await stepping

    run_in_time(main())


@pytest.mark.parametrize(
    ("slices", "words"),
    [
        ((), "service 'engines' in namespace 'serving' has no EndpointSlice: does it exist, and does it select pods?"),
        (
            (slice_of("a", pod("e2", "10.0.0.2", ready=False), A_LEAVES),),
            "service 'engines' in namespace 'serving' has no ready endpoint (1 not ready, 1 terminating)",
        ),
    ],
)
def test_a_service_without_endpoints_is_told_and_then_that_it_has_some(
    run: Run, caplog: pytest.LogCaptureFixture, slices: tuple[object, ...], words: str
) -> None:
    async def main() -> None:
        async with ApiServer().open() as server:
            server.put(*slices)  # type: ignore[arg-type]
            async with discovery(server) as found:
                await until(lambda: server.watching == 1)
                server.put(slice_of("a", B))
                await found.are("e2")

    with caplog.at_level(logging.INFO):
        run(main())
    assert [
        f"pool pool: {words}",
        "pool pool: endpoints are now: serving/e2:8000 (http://10.0.0.2:8000)",
        "pool pool: discovery works again",
    ] == said(caplog)


def test_what_is_left_out_is_told_once(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with ApiServer().open() as server:
            bad = [slice_of(f"bad-{n:02}", pod("x", "nowhere")) for n in range(12)]
            server.put(slice_of("a", A), *bad)
            async with discovery(server) as found:
                await found.are("e1")
                server.put(slice_of("a", B))
                await found.are("e2")

    run(main())
    told = [each for each in said(caplog) if "left out" in each]
    assert 11 == len(told)
    assert "pool pool: left out: EndpointSlice 'bad-00': 'nowhere' is no address" == told[0]
    assert "pool pool: left out: parts of 2 more" == told[-1]


def test_a_token_that_was_changed_is_used_and_a_refused_one_is_never_shown(
    run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "token"
    file.write_text("canary")

    async def main() -> None:
        async with ApiServer().open() as server:
            server.token = "second"
            server.put(slice_of("a", A))
            async with discovery(server, token=file.read_text) as found:
                await until(lambda: "refused the token" in caplog.text)
                file.unlink()
                await until(lambda: "cannot be asked: [Errno 2]" in caplog.text)
                file.write_text("second")
                await found.are("e1")

    run(main())
    assert "canary" not in caplog.text


def test_an_api_server_of_tls_is_believed_by_its_authority_alone(
    run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ours, others = trustme.CA(), trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ours.issue_cert("127.0.0.1").configure_cert(context)
    file = tmp_path / "ca.crt"
    others.cert_pem.write_to_path(file)

    async def main() -> None:
        server = ApiServer()
        server.http = FaultServer(server._answer, tls=context)
        server.put(slice_of("a", A))
        async with server.open(), discovery(server, ca_file=file) as found:
            await until(lambda: "ClientConnectorCertificateError" in caplog.text)
            assert [] == found.names()
            ours.cert_pem.write_to_path(file)  # changed while it runs
            await found.are("e1")

    run(main())


def test_it_ends_when_it_is_cancelled_wherever_it_is(run: Run) -> None:
    async def main() -> None:
        async with ApiServer().open() as server:
            server.put(slice_of("a", A))
            server.instead_of_lists = [faults.silent]
            async with discovery(server):
                await until(lambda: server.lists == 1)
            server.instead_of_watches = [faults.silent]
            async with discovery(server):
                await until(lambda: server.watches == 1)
            async with discovery(server) as found:
                await found.are("e1")
                await until(lambda: server.watching == 1)
            await server.http.all_closed()

    run(main())


def ready_by_the_official_client(server: ApiServer) -> list[str]:
    """The pods that it lists as ready and not terminating, each once."""
    api = client.DiscoveryV1Api(client.ApiClient(client.Configuration(host=server.url)))
    listed = api.list_namespaced_endpoint_slice(NAMESPACE, label_selector=f"{LABEL}={SERVICE}")
    said = [endpoint for each in listed.items for endpoint in each.endpoints or ()]
    gone = {each.target_ref.name for each in said if each.conditions.terminating}
    return sorted({each.target_ref.name for each in said if each.conditions.ready} - gone)


@pytest.mark.parametrize("seed", range(6))
def test_after_a_bad_hour_it_knows_what_the_official_client_lists(run: Run, seed: int) -> None:
    chance = random.Random(seed)

    def some_slice(name: str) -> object:
        pods = chance.sample(range(1, 9), chance.randint(0, 4))
        made = [chance.choice((pod, pod, leaving))(f"e{n}", f"10.0.0.{n}") for n in pods]
        return slice_of(name, *made)

    async def main() -> None:
        async with ApiServer().open() as server, discovery(server) as found:
            await until(lambda: server.watching == 1)
            for _ in range(60):
                match chance.randrange(8):
                    case 0:
                        server.lost = chance.randint(1, 2)
                    case 1:
                        server.hold()
                    case 2 if server.is_holding:
                        server.release(*(chance.choice(range(n)) for n in [server.is_holding] * server.is_holding))
                    case 3:
                        server.end_watches(chance.choice((None, faults.reset_before_head, faults.then_close(b"9"))))
                    case 4:
                        server.forget()
                        server.tells_of_the_end_in_an_event = chance.random() < 0.5
                    case 5 if server.slices:
                        server.delete(chance.choice(sorted(server.slices)))
                    case _:
                        server.put(some_slice(chance.choice("abc")))  # type: ignore[arg-type]
                for _ in range(chance.randint(0, 6)):
                    await asyncio.sleep(0)
            server.lost = 0
            server.release()
            server.put(slice_of("last", C))  # the past is forgotten, so that what was lost is listed
            server.forget()
            server.put(slice_of("last", B))
            server.forget()
            server.instead_of_watches = [faults.whole(410, EXPIRED)]
            lists = server.lists
            server.end_watches(faults.reset_before_head)
            await until(lambda: server.lists > lists and server.watching == 1)
            assert await asyncio.to_thread(ready_by_the_official_client, server) == found.names()

    run(main())
