"""A batch and its results, as OpenRouter and OpenAI show them: one object with the fields of both, which agree.

Results differ. Beside the batch (OpenRouter) a request that failed has no response but an error; in a file of lines
(OpenAI) what was answered is a response, whatever its status, and only what was never sent has an error.
"""

from dataclasses import dataclass

import msgspec

from router.policy.batch import Status
from router.policy.key import NANO
from router.protocol.batch_answer import NOTHING_USED, Failure, Used

EXPIRED = Failure("batch_expired", "This request could not be sent before the batch expired.")
CANCELLED = Failure("batch_cancelled", "The batch was cancelled before this request was done.")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with an input file."""

    message: str
    line: int | None = None  # from 1
    param: str | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """Of a batch's requests."""

    completed: int = 0
    failed: int = 0


NONE_DONE = Counts()


@dataclass(frozen=True, slots=True)
class BatchShown:
    """What is told of a batch. Times are unix seconds."""

    id: str
    endpoint: str
    model: str
    status: Status
    window_h: int
    total: int
    created_at: float
    expires_at: float
    counts: Counts = NONE_DONE
    used: Used = NOTHING_USED
    metadata: bytes | None = None  # JSON
    input_file: str | None = None
    output_file: str | None = None
    error_file: str | None = None
    in_progress_at: float | None = None
    finalizing_at: float | None = None
    cancelling_at: float | None = None
    ended_at: float | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """Of one request."""

    batch: str
    number: int
    custom_id: str
    status_code: int | None = None  # None: it was not sent
    request_id: str | None = None
    body: bytes | None = None
    failure: Failure | None = None
    used: Used = NOTHING_USED

    @property
    def id(self) -> str:
        return f"batch_req_{self.batch.removeprefix('batch_')}_{self.number}"


def batch_object(batch: BatchShown) -> dict[str, object]:
    """Without results."""
    status = batch.status
    ended = _int(batch.ended_at)
    problems = [_problem(each) for each in batch.problems]
    return {
        "id": batch.id,
        "object": "batch",
        "endpoint": batch.endpoint,
        "model": batch.model,
        "status": status.value,
        "provider": None,
        "completion_window": f"{batch.window_h}h",
        "created_at": int(batch.created_at),
        "expires_at": int(batch.expires_at),
        "finalized_at": ended,
        "in_progress_at": _int(batch.in_progress_at),
        "finalizing_at": _int(batch.finalizing_at),
        "completed_at": ended if status is Status.COMPLETED else None,
        "failed_at": ended if status is Status.FAILED else None,
        "expired_at": ended if status is Status.EXPIRED else None,
        "cancelling_at": _int(batch.cancelling_at),
        "cancelled_at": ended if status is Status.CANCELLED else None,
        "input_file_id": batch.input_file,
        "output_file_id": batch.output_file,
        "error_file_id": batch.error_file,
        "metadata": None if batch.metadata is None else msgspec.Raw(batch.metadata),
        "request_counts": {
            "total": batch.total,
            "completed": batch.counts.completed,
            "failed": batch.counts.failed,
        },
        "error": {"message": batch.problems[0].message} if batch.problems else None,
        "errors": {"object": "list", "data": problems} if problems else None,
        "usage": _usage(batch.used) if status.is_over else None,
        "results": None,
    }


def result_object(result: Result) -> dict[str, object]:
    """Beside its batch."""
    shown: dict[str, object] = {"id": result.id, "custom_id": result.custom_id, "response": None, "error": None}
    if result.failure is None:
        shown["response"] = _response(result)
    else:
        failure = result.failure
        shown["error"] = {
            "message": failure.message,
            "param": failure.param,
            "type": failure.error_type,
            "error_type": failure.error_type,
            "code": result.status_code,
        }
    return shown


def result_line(result: Result) -> bytes:
    """In a file, with the line's end."""
    shown: dict[str, object] = {"id": result.id, "custom_id": result.custom_id, "response": None, "error": None}
    if result.body is not None:
        shown["response"] = _response(result)
    elif result.failure is not None:
        shown["error"] = {"code": result.failure.error_type, "message": result.failure.message}
    return msgspec.json.encode(shown) + b"\n"


def _response(result: Result) -> dict[str, object]:
    body = result.body or b"null"
    return {"status_code": result.status_code, "request_id": result.request_id, "body": msgspec.Raw(body)}


def _problem(problem: Problem) -> dict[str, object]:
    return {"code": "invalid_request", "line": problem.line, "message": problem.message, "param": problem.param}


def _usage(used: Used) -> dict[str, object]:
    read, written = {"cached_tokens": used.cached_tokens}, {"reasoning_tokens": used.reasoning_tokens}
    return {
        "prompt_tokens": used.prompt_tokens,
        "completion_tokens": used.completion_tokens,
        "total_tokens": used.prompt_tokens + used.completion_tokens,
        "prompt_tokens_details": read,
        "completion_tokens_details": written,
        "input_tokens": used.prompt_tokens,
        "input_tokens_details": read,
        "output_tokens": used.completion_tokens,
        "output_tokens_details": written,
        "cost": used.cost / NANO,
        "is_byok": False,
    }


def _int(unix_s: float | None) -> int | None:
    return None if unix_s is None else int(unix_s)
