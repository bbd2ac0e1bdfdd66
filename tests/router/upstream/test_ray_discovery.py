"""The directory follows Ray's dashboard, and survives it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from router.protocol.engine_metrics import EngineMetrics
from router.upstream.directory import Directory
from router.upstream.ray_discovery import RayDiscovery
from tests import fault_behaviours as faults
from tests.faults import Behaviour, FaultServer, refusing_port
from tests.router.upstream.ray_documents import (
    APPLICATION,
    PROXY,
    application,
    controller,
    document,
    group,
    replica,
    running,
)
from tests.router.upstream.support import Run, pass_time, soon


def says(body: bytes) -> Behaviour:
    return faults.whole(200, body)


class Found:
    """A discovery of one pool, and what came of it."""

    def __init__(self, discovery: RayDiscovery, directory: Directory, now: list[float]) -> None:
        self.poll, self.run = discovery.poll, discovery.run
        self.gone: list[str] = []
        self._directory = directory
        self._now = now
        directory.on_removed(self.gone.append)

    def answer(self, *names: str) -> None:
        """These engines tell of themselves."""
        for endpoint in self._directory.endpoints("pool"):
            if endpoint.id.rpartition("#")[2] in names:
                self._directory.saw(endpoint, EngineMetrics(running=0))

    def some_time_passes(self) -> None:
        """So much that what engines told of themselves is old."""
        self._now[0] += 60

    def names(self) -> list[str]:
        return [endpoint.id.rpartition("#")[2] for endpoint in self._directory.endpoints("pool")]


@asynccontextmanager
async def discovery(
    url: str,
    token: Callable[[], str | None] = lambda: None,
    timeout_s: float = 20.0,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> AsyncIterator[Found]:
    now = [0.0]
    directory = Directory(clock=lambda: now[0])
    yield Found(
        RayDiscovery(
            directory=directory,
            pool_name="pool",
            dashboard=url,
            application=APPLICATION,
            token=token,
            timeout_s=timeout_s,
            sleep=sleep,
        ),
        directory,
        now,
    )


def test_endpoints_appear_and_leave_as_ray_says_and_listeners_are_told(run: Run) -> None:
    async def main() -> None:
        answers = [says(running("a")), says(running("b", "c")), says(running("c")), says(document({}, []))]
        async with FaultServer(*answers) as server, discovery(server.url + "/") as found:
            seen = []
            for _ in answers:
                await found.poll()
                seen.append(found.names())
            assert [["a"], ["b", "c"], ["c"], []] == seen
            assert ["a", "b", "c"] == [name.rpartition("#")[2] for name in found.gone]
            assert {("GET", "/api/serve/applications/")} == {(each.method, each.path) for each in server.requests}
            assert {"close"} == {each.headers["connection"] for each in server.requests}

    run(main())


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (faults.internal_error, "answered HTTP 500"),
        (faults.overloaded, "answered HTTP 503"),
        (faults.whole(302, b"", location="http://127.0.0.1:1/"), "answered HTTP 302"),
        (faults.whole(401, b""), "wants a token, and none is configured (HTTP 401)"),
        (faults.whole(403, b""), "wants a token, and none is configured (HTTP 403)"),
        (faults.html, "not what Ray Serve gives"),
        (says(b'{"applications": '), "not what Ray Serve gives"),
        (faults.garbage, "no answer from the Ray dashboard"),
        (faults.shorter_than_its_length, "no answer from the Ray dashboard"),
        (faults.reset_before_head, "no answer from the Ray dashboard"),
        (faults.hang(faults.head(content_length="99999999") + b" " * 33_600_000), "larger than 33554432 bytes"),
    ],
    ids=["500", "503", "302", "401", "403", "HTML", "bad JSON", "garbage", "truncated", "reset", "huge"],
)
def test_while_the_dashboard_cannot_tell_the_endpoints_last_known_stay(
    run: Run, caplog: pytest.LogCaptureFixture, trouble: Behaviour, words: str
) -> None:
    async def main() -> None:
        # A GET is sent again by itself after a reset, so the trouble comes often enough for that.
        answers = [says(running("a", "b"))] + [trouble] * 8
        async with FaultServer(*answers) as server, discovery(server.url, timeout_s=20.0) as found:
            for _ in range(3):
                await found.poll()
                assert ["a", "b"] == found.names()
            assert [] == found.gone

    with caplog.at_level(logging.INFO):
        run(main())
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert 1 == len(warnings)  # not one per poll
    assert words in warnings[0]
    assert "keeping the 2 endpoints last known" in warnings[0]


def test_a_dashboard_that_does_not_answer_is_given_up(run_in_time: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        answers = (says(running("a")), faults.silent)
        async with FaultServer(*answers) as server, discovery(server.url, timeout_s=2.0) as found:
            await found.poll()
            polling = asyncio.create_task(found.poll())
            await pass_time(0)
            await pass_time(2.1)
            await soon(polling)
            assert ["a"] == found.names()

    run_in_time(main())
    assert "no answer from the Ray dashboard (TimeoutError); keeping the 1 endpoints last known" in caplog.text


def test_a_head_that_is_gone_and_comes_back_is_told_once_each(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        answers = (faults.overloaded, faults.overloaded, says(running("a")))
        async with FaultServer(*answers) as server, discovery(server.url) as found:
            for _ in range(4):
                await found.poll()
            assert ["a"] == found.names()

    with caplog.at_level(logging.INFO):
        run(main())
    assert [
        "pool pool: the Ray dashboard answered HTTP 503; keeping the 0 endpoints last known",
        "pool pool: endpoints are now: mistral#LLMServer#a",
        "pool pool: discovery works again",
    ] == [record.getMessage() for record in caplog.records]


def test_nobody_listening_is_no_answer(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        with refusing_port() as url:
            async with discovery(url) as found:
                await found.poll()
                assert [] == found.names()

    run(main())
    assert "no answer from the Ray dashboard (ClientConnectorError)" in caplog.text


def test_an_application_that_is_not_there_is_named_in_the_log(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with FaultServer(says(document({}, []))) as server, discovery(server.url) as found:
            await found.poll()

    run(main())
    assert "Ray Serve has no serving replica of application 'mistral'" in caplog.text


def test_the_token_is_sent_and_a_changed_one_is_used_at_once(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "token"

    async def main() -> None:
        async with FaultServer(says(running("a"))) as server:
            async with discovery(server.url, token=lambda: file.read_text().strip()) as found:
                for token in ("first", "second"):
                    file.write_text(token + "\n")
                    await found.poll()
            assert ["Bearer first", "Bearer second"] == [each.headers["authorization"] for each in server.requests]

    run(main())


def test_without_a_token_none_is_sent(run: Run) -> None:
    async def main() -> None:
        async with FaultServer(says(running("a"))) as server, discovery(server.url) as found:
            await found.poll()
            assert "authorization" not in server.requests[0].headers

    run(main())


def test_a_token_that_cannot_be_read_changes_nothing(
    run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "token"
    file.write_text("first")

    async def main() -> None:
        async with FaultServer(says(running("a"))) as server:
            async with discovery(server.url, token=file.read_text) as found:
                await found.poll()
                file.unlink()
                await found.poll()
                assert ["a"] == found.names()
            assert 1 == len(server.requests)

    run(main())
    assert "the Ray token cannot be read" in caplog.text


def test_a_refused_token_is_told_and_never_shown(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        refusing = faults.whole(401, b"")
        async with FaultServer(refusing) as server, discovery(server.url, token=lambda: "canary") as found:
            await found.poll()

    run(main())
    assert "the Ray dashboard refused its token (HTTP 401)" in caplog.text
    assert "canary" not in caplog.text


def test_it_polls_again_and_again_until_it_is_cancelled(run: Run) -> None:
    async def main() -> None:
        slept: list[float] = []
        third = asyncio.Event()

        async def sleep(seconds: float) -> None:
            slept.append(seconds)
            if len(slept) == 3:
                third.set()
                await asyncio.Event().wait()

        answers = (says(running("a")), faults.overloaded, says(running("b")))
        async with FaultServer(*answers) as server, discovery(server.url, sleep=sleep) as found:
            task = asyncio.create_task(found.run())
            await third.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (["b"], [1.0, 1.0, 1.0]) == (found.names(), slept)

    run(main())


OLD, NEW = controller("w-1"), controller("w-9", actor="c-9")
STARTING = document({APPLICATION: application([replica("x", "STARTING")])}, [group([PROXY])], NEW)


def test_every_poll_connects_anew_so_that_a_head_that_has_moved_is_found(run: Run) -> None:
    async def main() -> None:
        async with FaultServer(says(running("a"))) as server, discovery(server.url) as found:
            for _ in range(3):
                await found.poll()
            assert 3 == server.accepted
            await server.all_closed()

    run(main())


def test_replicas_that_a_new_head_does_not_know_stay_while_they_answer(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        answers = [running("a", "b", by=OLD), document({}, [group([PROXY])], NEW), STARTING, STARTING]
        answers += [running("c", by=NEW)]
        async with FaultServer(*map(says, answers)) as server, discovery(server.url) as found:
            await found.poll()
            found.answer("a", "b")
            await found.poll()
            assert ["a", "b"] == found.names()
            found.some_time_passes()
            found.answer("b")
            await found.poll()  # the node of the other has noticed
            assert ["b"] == found.names()
            await found.poll()
            assert ["b"] == found.names()
            await found.poll()
            assert ["c"] == found.names()

    with caplog.at_level(logging.INFO):
        run(main())
    words = "another controller of Ray Serve answers, which has no replica of application 'mistral' yet; keeping"
    assert [
        "pool pool: endpoints are now: mistral#LLMServer#a, mistral#LLMServer#b",
        f"pool pool: {words} 2 that still do",
        "pool pool: endpoints are now: mistral#LLMServer#b",
        f"pool pool: {words} 1 that still do",
        "pool pool: endpoints are now: mistral#LLMServer#c",
        "pool pool: discovery works again",
    ] == [record.getMessage() for record in caplog.records]


def test_replicas_that_went_with_their_head_leave_so_that_requests_can_wait_for_others(run: Run) -> None:
    async def main() -> None:
        answers = [says(running("a", by=OLD)), faults.overloaded, says(document({}, [group([PROXY])], NEW))]
        async with FaultServer(*answers) as server, discovery(server.url) as found:
            await found.poll()
            found.answer("a")
            await found.poll()  # the head is away
            found.some_time_passes()
            await found.poll()
            assert [] == found.names()

    run(main())


def test_a_controller_that_knew_the_replicas_is_believed_that_they_are_gone(run: Run) -> None:
    async def main() -> None:
        answers = [running("a", by=OLD), document({}, [group([PROXY])], OLD)]
        async with FaultServer(*map(says, answers)) as server, discovery(server.url) as found:
            await found.poll()
            found.answer("a")
            await found.poll()
            assert [] == found.names()

    run(main())


def test_when_the_head_is_another_clusters_its_replicas_take_over_at_once(run: Run) -> None:
    async def main() -> None:
        answers = [running("a", "b", by=OLD), running("c", by=NEW), document({}, [group([PROXY])], NEW)]
        async with FaultServer(*map(says, answers)) as server, discovery(server.url) as found:
            await found.poll()
            found.answer("a", "b")
            await found.poll()
            assert ["c"] == found.names()
            found.answer("c")
            await found.poll()  # and it is now who knows
            assert [] == found.names()

    run(main())


def test_a_controller_that_was_restarted_keeps_the_replicas_it_is_getting_to_know(run: Run) -> None:
    async def main() -> None:
        again = controller("w-2")
        recovering = document({APPLICATION: application([replica("a", "RECOVERING")])}, [group([PROXY])], again)
        answers = [running("a", by=OLD), recovering, running("a", by=again), document({}, [], again)]
        async with FaultServer(*map(says, answers)) as server, discovery(server.url) as found:
            seen = []
            for _ in answers:
                await found.poll()
                found.answer("a")
                seen.append(found.names())
            assert [["a"], ["a"], ["a"], []] == seen

    run(main())
