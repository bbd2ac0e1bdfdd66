"""The tests' API server, held against the official client: what it says is what a real one would say."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from kubernetes import client, watch

from tests import fault_behaviours as faults
from tests.kubernetes_server import (
    EXPIRED,
    LABEL,
    NAMESPACE,
    SERVICE,
    ApiServer,
    as_json,
    leaving,
    pod,
    slice_of,
    status,
)

SELECTOR = f"{LABEL}={SERVICE}"


def api(server: ApiServer) -> client.DiscoveryV1Api:
    """The official client's; without its own retries, so that a test sees each answer."""
    configuration = client.Configuration(host=server.url)
    configuration.retries = False
    return client.DiscoveryV1Api(client.ApiClient(configuration))


def watched(server: ApiServer, since: int, count: int, **options: Any) -> list[tuple[str, str]]:
    """Kind and version of this many events, by the official client's Watch."""
    found: list[tuple[str, str]] = []
    watcher = watch.Watch()
    stream = watcher.stream(
        api(server).list_namespaced_endpoint_slice,
        NAMESPACE,
        label_selector=SELECTOR,
        resource_version=str(since),
        allow_watch_bookmarks=True,
        **options,
    )
    for each in stream:
        metadata = each["raw_object"]["metadata"]
        found.append((each["type"], metadata["resourceVersion"]))
        if len(found) == count:
            watcher.stop()
    return found


async def when(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not is_so():  # noqa: ASYNC110 - another thread says nothing by itself
            await asyncio.sleep(0.005)


def test_the_official_client_reads_its_lists_page_by_page() -> None:
    async def main() -> None:
        async with ApiServer().open() as server:
            ours = [slice_of(f"engines-{n}", pod(f"e{n}", f"10.0.0.{n}")) for n in range(5)]
            server.put(*ours, slice_of("other", service="other"), slice_of("far", namespace="elsewhere"))

            def read() -> list[client.V1EndpointSlice]:
                found: list[client.V1EndpointSlice] = []
                following = None
                while True:
                    page = api(server).list_namespaced_endpoint_slice(
                        NAMESPACE, label_selector=SELECTOR, limit=2, _continue=following
                    )
                    assert page.metadata.resource_version == "107"
                    found += page.items
                    following = page.metadata._continue
                    if not following:
                        return found

            found = await asyncio.to_thread(read)
            for each in found:
                each.metadata.resource_version = None
            assert [as_json(each) for each in ours] == [as_json(each) for each in found]
            assert 3 == server.lists

    asyncio.run(main())


def test_a_page_of_a_list_that_is_forgotten_is_410_to_the_official_client() -> None:
    async def main() -> None:
        async with ApiServer().open() as server:
            server.put(slice_of("a"), slice_of("b"))
            first = await asyncio.to_thread(api(server).list_namespaced_endpoint_slice, NAMESPACE, limit=1)
            server.put(slice_of("c"))
            server.forget()
            with pytest.raises(client.ApiException) as told:
                await asyncio.to_thread(
                    api(server).list_namespaced_endpoint_slice, NAMESPACE, limit=1, _continue=first.metadata._continue
                )
            assert 410 == told.value.status

    asyncio.run(main())


def test_the_official_client_follows_its_watches() -> None:
    async def main() -> None:
        async with ApiServer().open() as server:
            server.put(slice_of("a", pod("e1", "10.0.0.1")))
            watching = asyncio.create_task(asyncio.to_thread(watched, server, 100, 5))
            await when(lambda: server.watching == 1)
            server.put(slice_of("other", service="other"), slice_of("a", leaving("e1", "10.0.0.1")))
            server.bookmark()
            server.put(slice_of("b"))
            server.delete("a")
            expected = [
                ("ADDED", "101"),
                ("MODIFIED", "103"),
                ("BOOKMARK", "103"),
                ("ADDED", "104"),
                ("DELETED", "105"),
            ]
            assert expected == await watching

    asyncio.run(main())


@pytest.mark.parametrize("in_an_event", [False, True])
def test_a_past_that_is_forgotten_is_410_to_the_official_client(in_an_event: bool) -> None:
    async def main() -> None:
        async with ApiServer().open() as server:
            server.tells_of_the_end_in_an_event = in_an_event
            server.put(slice_of("a"))
            server.forget()
            with pytest.raises(client.ApiException) as told:
                await asyncio.to_thread(watched, server, 100, 1, timeout_seconds=5)
            assert 410 == told.value.status

    asyncio.run(main())


def test_a_watch_that_the_server_ends_is_over_for_the_official_client() -> None:
    async def main() -> None:
        async with ApiServer().open() as server:
            server.put(slice_of("a"))
            assert [("ADDED", "101")] == await asyncio.to_thread(watched, server, 100, 9, timeout_seconds=1)

    asyncio.run(main())


def test_refusals_are_what_the_official_client_takes_them_for() -> None:
    async def main() -> None:
        async with ApiServer().open() as server:
            server.token = "needed"
            for behaviour, code in (
                (None, 401),
                (faults.whole(403, status(403, "Forbidden", "no")), 403),
                (faults.whole(410, EXPIRED), 410),
            ):
                server.instead = [] if behaviour is None else [behaviour]
                with pytest.raises(client.ApiException) as told:
                    await asyncio.to_thread(api(server).list_namespaced_endpoint_slice, NAMESPACE)
                assert code == told.value.status

    asyncio.run(main())
