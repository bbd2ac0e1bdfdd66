import json
import socket

import pytest

from deploy.problem import Problem
from deploy.router_client import RouterClient
from tests.deploy.canned import CannedRouter
from tests.deploy.sse import ANSWER, DONE, delta

BODY = {"model": "m", "messages": []}


@pytest.mark.parametrize("path", ["", "/", "/v1", "/api/v1", "/api/v1/"])
def test_a_base_url_may_carry_the_api_path(canned_router: CannedRouter, path: str) -> None:
    canned_router.body = b"[]"
    assert [] == RouterClient(canned_router.url + path, None).get("/status")
    assert [("/status", None, b"")] == canned_router.asked


@pytest.mark.parametrize("url", ["localhost:8080", "", "ftp://host/v1", "http://"])
def test_what_is_no_base_url_is_a_problem(url: str) -> None:
    with pytest.raises(Problem, match="not a base URL"):
        RouterClient(url, None)


def test_a_question_is_sent_as_a_stream_with_usage_and_key(canned_router: CannedRouter) -> None:
    canned_router.body = ANSWER + DONE
    with RouterClient(canned_router.url, "sk-1").ask(BODY) as answer:
        assert "3 plus 4 is 7." == "".join(answer)
    ((path, authorization, body),) = canned_router.asked
    assert ("/api/v1/chat/completions", "Bearer sk-1") == (path, authorization)
    assert {**BODY, "stream": True, "stream_options": {"include_usage": True}} == json.loads(body)


def test_a_connection_that_breaks_in_the_answer_is_a_problem(canned_router: CannedRouter) -> None:
    canned_router.body = delta("3 plus")
    canned_router.declared_length = 10_000
    with RouterClient(canned_router.url, None).ask(BODY) as answer, pytest.raises(Problem, match="broke off"):
        list(answer)


def test_a_refused_key_is_a_problem_that_says_where_keys_come_from(canned_router: CannedRouter) -> None:
    canned_router.status, canned_router.body = 401, b'{"error": {"code": 401, "message": "No auth credentials found"}}'
    with pytest.raises(Problem, match="No auth credentials found; give one with --api-key or TRAMONTANE_API_KEY"):
        RouterClient(canned_router.url, None).models()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": {"code": 404, "message": "no such model"}}', "the router answered 404: no such model"),
        (b"<html>", "the router answered 404: <html>"),
        (b"", "the router answered 404: no reason given"),
    ],
)
def test_an_error_status_is_a_problem_with_its_reason(canned_router: CannedRouter, body: bytes, said: str) -> None:
    canned_router.status, canned_router.body = 404, body
    with pytest.raises(Problem, match=said):
        RouterClient(canned_router.url, None).get("/status")


def test_an_answer_that_is_no_json_is_a_problem(canned_router: CannedRouter) -> None:
    canned_router.body = b"<html>welcome</html>"
    with pytest.raises(Problem, match="is this a Tramontane router"):
        RouterClient(canned_router.url, None).get("/status")


def test_a_router_that_is_not_there_is_a_problem_with_the_way_to_start_it() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: nobody else takes the port meanwhile
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(Problem, match=f"cannot reach {url}: .*start it with `tramontane up`"):
            RouterClient(url, None).models()
