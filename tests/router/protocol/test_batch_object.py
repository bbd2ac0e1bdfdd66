"""Batches, results and what is kept of answers."""

from typing import Any

import msgspec
import pytest

from router.policy.batch import Status
from router.protocol.batch_answer import NOTHING_USED, Failure, Used, read_failure, read_usage
from router.protocol.batch_object import (
    CANCELLED,
    BatchShown,
    Counts,
    Problem,
    Result,
    batch_object,
    result_line,
    result_object,
)
from router.protocol.errors import ApiError, render


def shown(status: Status, **values: Any) -> dict[str, Any]:
    batch = BatchShown("batch_1", "/v1/chat/completions", "m", status, 24, 3, 100.5, 200.5, **values)
    return msgspec.json.decode(msgspec.json.encode(batch_object(batch)))  # type: ignore[no-any-return]


def test_a_batch_that_runs() -> None:
    told = shown(Status.IN_PROGRESS, in_progress_at=101.0, counts=Counts(1, 1), metadata=b'{"a":"b"}')
    assert ("batch", "in_progress", "24h", 100, 200, 101) == tuple(
        told[name] for name in ("object", "status", "completion_window", "created_at", "expires_at", "in_progress_at")
    )
    assert {"total": 3, "completed": 1, "failed": 1} == told["request_counts"]
    assert {"a": "b"} == told["metadata"]
    assert [None] * 5 == [told[name] for name in ("usage", "error", "errors", "results", "finalized_at")]


@pytest.mark.parametrize("status", [status for status in Status if status.is_over])
def test_a_batch_that_ended_tells_when_and_what_it_used(status: Status) -> None:
    told = shown(status, ended_at=150.0, used=Used(4, 1, 2, 1, 500_000_000))
    assert (150, 150) == (told["finalized_at"], told[f"{status.value}_at"])
    assert 1 == sum(told[f"{each}_at"] == 150 for each in ("completed", "failed", "expired", "cancelled"))
    assert (6, 4, 0.5) == (told["usage"]["total_tokens"], told["usage"]["input_tokens"], told["usage"]["cost"])


def test_a_batch_that_failed_tells_why() -> None:
    told = shown(Status.FAILED, problems=(Problem("line 2: no", 2, "x"),))
    assert {"message": "line 2: no"} == told["error"]
    assert [{"code": "invalid_request", "line": 2, "message": "line 2: no", "param": "x"}] == told["errors"]["data"]


def rendered(result: Result) -> tuple[Any, Any]:
    return msgspec.json.decode(msgspec.json.encode(result_object(result))), msgspec.json.decode(result_line(result))


def test_an_answer_is_a_response_in_both_forms() -> None:
    result = Result("batch_1", 2, "c", 200, "gen-1", b'{"a":1}')
    expected = {
        "id": "batch_req_1_2",
        "custom_id": "c",
        "response": {"status_code": 200, "request_id": "gen-1", "body": {"a": 1}},
        "error": None,
    }
    assert (expected, expected) == rendered(result)


def test_a_refusal_is_an_error_beside_the_batch_and_a_response_in_a_file() -> None:
    result = Result("batch_1", 2, "c", 400, "gen-1", b'{"error":{}}', Failure("invalid_request", "no", "n"))
    beside, line = rendered(result)
    assert beside["response"] is None
    assert {
        "message": "no",
        "param": "n",
        "type": "invalid_request",
        "error_type": "invalid_request",
        "code": 400,
    } == beside["error"]
    assert ({"error": {}}, None) == (line["response"]["body"], line["error"])


def test_what_was_never_sent_is_an_error_in_both_forms() -> None:
    beside, line = rendered(Result("batch_1", 2, "c", failure=CANCELLED))
    assert (None, "batch_cancelled") == (beside["response"], beside["error"]["type"])
    assert (None, {"code": "batch_cancelled", "message": CANCELLED.message}) == (line["response"], line["error"])


def test_a_result_without_anything_is_an_empty_response() -> None:
    beside, line = rendered(Result("batch_1", 2, "c", 200))
    assert beside["response"]["body"] is None
    assert (None, None) == (line["response"], line["error"])


@pytest.mark.parametrize(
    ("body", "used"),
    [
        (
            (
                b'{"usage":{"prompt_tokens":9,"completion_tokens":5,"cost":0.1,'
                b'"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":2}}}'
            ),
            Used(9, 4, 5, 2, 100_000_000),
        ),
        (
            (
                b'{"usage":{"input_tokens":9,"output_tokens":5,"input_tokens_details":{"cached_tokens":4},'
                b'"output_tokens_details":{"reasoning_tokens":2}}}'
            ),
            Used(9, 4, 5, 2, 0),
        ),
        (b'{"usage":{"input_tokens":9,"cache_read_input_tokens":3}}', Used(9, 3, 0, 0, 0)),
        (b'{"usage":{"prompt_tokens":-5,"completion_tokens":99999999999999999}}', Used(0, 0, 2**53, 0, 0)),
        (b'{"usage":null}', NOTHING_USED),
        (b"{}", NOTHING_USED),
        (b"no json", NOTHING_USED),
        (b"[" * 100_000, NOTHING_USED),
        (b'{"usage":{"prompt_tokens":"many"}}', NOTHING_USED),
    ],
)
def test_what_an_answer_used_is_read_in_the_words_of_each_api(body: bytes, used: Used) -> None:
    assert used == read_usage(body)


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        (render(ApiError("not_found", "no model", field="model")), Failure("not_found", "no model", "model")),
        (b'{"type":"error","error":{"type":"overloaded_error","message":"m"}}', Failure("overloaded_error", "m")),
        (b'{"error":{"error_type":"server","message":"m","param":"p"}}', Failure("server", "m", "p")),
        (b'{"error":{"message":"m"}}', Failure("unmapped", "m")),
        (b"what?", Failure("unmapped", "The request was answered with status 418.")),
    ],
)
def test_why_a_request_failed_is_read_in_the_words_of_each_api(body: bytes, failure: Failure) -> None:
    assert failure == read_failure(418, body)
