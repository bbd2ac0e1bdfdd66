"""What is written of a request, beyond what every row has."""

import json
from typing import Any

import pytest

from router import ledger_row
from router.generation import Generation
from router.policy.catalog import Pool, Price
from router.policy.outcome import Outcome, Usage, Verdict
from router.protocol.answered import Answered, from_text
from router.protocol.entry import Entry
from router.protocol.limits import Limits
from router.protocol.request import parse_chat
from router.protocol.told import Told
from router.trace import Trace
from tests.router.accounts import ME, accounting

POOL = Pool("local", "m/eyes", "eyes", price=Price(prompt=1e-6, completion=2e-6, cached_prompt=2.5e-7))
OK = Outcome(Verdict.OK, 200)
USAGE = Usage(prompt_tokens=1_000, completion_tokens=10, cached_tokens=400)


def written(
    trace: Trace | None = None, *, usage: Usage = USAGE, pool: Pool = POOL, cost: int = 1, **body: Any
) -> Entry:
    raw = json.dumps({"model": "m/eyes", "messages": [{"role": "user", "content": "?"}], **body}).encode()
    one = Generation("gen-1", parse_chat(raw, Limits()), 5.0, 1_000_000, ME, accounting().admit(ME), pools=(pool,))
    one.pool = pool
    return ledger_row.entry(one, OK, usage, cost, router="boot", now=7.5, trace=trace or Trace())


def test_what_the_body_says_of_the_caller_goes_before_what_headers_say() -> None:
    told = Told("https://a.example", "App", "agent/1", "by-header")
    row = written(Trace(told), user="u-1", session_id="by-body")
    assert ("u-1", "by-body") == (row.external_user, row.session_id)
    assert ("https://a.example", "App", "agent/1") == (row.referer, row.title, row.user_agent)
    assert "by-header" == written(Trace(told)).session_id
    assert written().session_id is None


@pytest.mark.parametrize(("user", "kept"), [("u" * 256, "u" * 256), ("a\u202eb", "ab"), ("", None)])
def test_a_users_name_is_cut_and_cleaned(user: str, kept: str | None) -> None:
    assert kept == written(user=user).external_user


def test_what_was_noted_on_the_way_is_written() -> None:
    trace = Trace(
        answered=[Answered("Far", "far", "m/eyes", 503, 12), Answered("local", "local", "m/eyes", 200, 340, "c-1")],
        sent=6.0,
        upstream_id="c-1",
        native_finish_reason="eos",
        service_tier="flex",
        preset_id="p",
        cached_from="gen-0",
        media=2,
        reasoning_tokens=3,
    )
    row = written(trace)
    assert tuple(trace.answered) == from_text(row.answers)
    assert (1_500, "c-1", "eos") == (row.generation_ms, row.upstream_id, row.native_finish_reason)
    assert ("flex", "p", "gen-0", 2, 3) == (
        row.service_tier, row.preset_id, row.cached_from, row.media, row.reasoning_tokens,
    )  # fmt: skip


def test_what_nobody_noted_is_not_made_up() -> None:
    row = written()
    assert (None, None, None, 0) == (row.answers, row.generation_ms, row.upstream_id, row.media)


def test_the_cache_saved_what_cached_tokens_would_have_cost_more() -> None:
    assert 300_000 == written().cache_discount  # 400 × 0.75 millionths of a dollar
    assert written(usage=Usage(1_000, 10, 0)).cache_discount is None
    assert written(pool=Pool("local", "m/eyes", "eyes", price=Price(prompt=1e-6))).cache_discount is None
    assert written(cost=0).cache_discount is None


def test_of_very_many_attempts_the_last_are_kept() -> None:
    trace = Trace()
    for number in range(100):
        trace.attempted(POOL, Outcome(Verdict.UNAVAILABLE, 400 + number), float(number), number + 0.5)
    assert (32, 99.0) == (len(trace.answered), trace.sent)
    assert Answered("local", "local", "m/eyes", 499, 500) == trace.answered[-1]
