"""Rows of batches become records, and results become rows."""

import msgspec
from sqlalchemy import Row

from router.policy.batch import Status
from router.protocol.batch_answer import NOTHING_USED, Failure, Used
from router.protocol.batch_object import NONE_DONE, BatchShown, Counts, Problem, Result
from router.store.batch_records import BatchRecord

Columns = dict[str, str | int | float | bytes | None]

_problems = msgspec.json.Decoder(tuple[Problem, ...])


def batch_record(row: Row[tuple[object, ...]], counts: Counts = NONE_DONE, used: Used = NOTHING_USED) -> BatchRecord:
    shown = BatchShown(
        id=row.id,
        endpoint=row.endpoint,
        model=row.model,
        status=Status(row.status),
        window_h=row.window_h,
        total=row.total,
        created_at=row.created_at,
        expires_at=row.expires_at,
        counts=counts,
        used=used,
        metadata=None if row.metadata is None else row.metadata.encode(),
        input_file=row.input_file,
        output_file=row.output_file,
        error_file=row.error_file,
        in_progress_at=row.in_progress_at,
        finalizing_at=row.finalizing_at,
        cancelling_at=row.cancelling_at,
        ended_at=row.ended_at,
        problems=() if row.errors is None else _problems.decode(row.errors),
    )
    return BatchRecord(
        shown,
        workspace=row.workspace,
        key=row.key,
        provider=None if row.provider is None else row.provider.encode(),
        outcome=None if row.outcome is None else Status(row.outcome),
        output_keep_s=row.output_keep_s,
    )


def result_record(row: Row[tuple[object, ...]]) -> Result:
    return Result(
        batch=row.batch,
        number=row.number,
        custom_id=row.custom_id,
        status_code=row.status_code,
        request_id=row.request_id,
        body=row.body,
        failure=None if row.error_type is None else Failure(row.error_type, row.message or "", row.param),
        used=Used(row.prompt_tokens, row.cached_tokens, row.completion_tokens, row.reasoning_tokens, row.cost),
    )


def columns_of_result(result: Result, at: float) -> Columns:
    failure, used = result.failure, result.used
    return {
        "batch": result.batch,
        "number": result.number,
        "custom_id": result.custom_id,
        "status_code": result.status_code,
        "request_id": result.request_id,
        "body": result.body,
        "error_type": None if failure is None else failure.error_type,
        "message": None if failure is None else failure.message,
        "param": None if failure is None else failure.param,
        "prompt_tokens": used.prompt_tokens,
        "cached_tokens": used.cached_tokens,
        "completion_tokens": used.completion_tokens,
        "reasoning_tokens": used.reasoning_tokens,
        "cost": used.cost,
        "at": at,
    }


def problems_json(problems: tuple[Problem, ...]) -> str:
    return msgspec.json.encode(problems).decode()
