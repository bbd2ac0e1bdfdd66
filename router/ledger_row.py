"""A request becomes a row of the ledger: when it begins, and when it is over."""

import msgspec

from router.generation import Generation
from router.policy.catalog import Price
from router.policy.key import NANO
from router.policy.outcome import Outcome, Usage, Verdict
from router.protocol.answered import to_text
from router.protocol.entry import Entry, Opened
from router.protocol.told import LONGEST_SESSION
from router.trace import Trace

_LONGEST_USER = 256  # characters of the caller's own name for its user
_LONGEST_RAW = 6 * _LONGEST_USER + 2  # bytes of either as JSON: longer ones are not looked at
_NOTHING_NOTED = Trace()


def opened(generation: Generation, router: str) -> Opened:
    """Of a request that begins. `router`: boot id of this one."""
    return Opened(
        id=generation.id,
        created=generation.created,
        router=router,
        key=generation.key.id,
        workspace=generation.key.workspace,
        kind=generation.request.kind.name,
        streamed=generation.request.call.stream,
        requested=generation.request.call.model,
    )


def entry(
    generation: Generation,
    outcome: Outcome,
    usage: Usage,
    charged: int,
    *,
    router: str,
    now: float,
    trace: Trace = _NOTHING_NOTED,
) -> Entry:
    """Of a request that is over.

    Args:
        generation: the request.
        outcome: how it ended.
        usage: tokens that were counted.
        charged: nano-dollars.
        router: boot id of this one.
        now: monotonic seconds.
        trace: what else is known of it.
    """
    call, pool, told = generation.request.call, generation.pool, trace.told
    has_failed = outcome.verdict is not Verdict.OK
    fields = generation.request.router_fields
    return Entry(
        id=generation.id,
        created=generation.created,
        router=router,
        key=generation.key.id,
        workspace=generation.key.workspace,
        kind=generation.request.kind.name,
        streamed=call.stream,
        requested=call.model,
        model=pool.model if pool else "",
        provider=pool.provider if pool else "",
        pool=pool.name if pool else "",
        status=outcome.verdict.value,
        http_status=outcome.status if has_failed else None,
        finish_reason=generation.finish_reason,
        native_finish_reason=trace.native_finish_reason,
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=usage.cached_tokens,
        completion_tokens=usage.completion_tokens,
        image_tokens=call.image_tokens,
        is_exact=usage.is_exact and not has_failed,
        cost=charged,
        attempts=generation.sends,
        latency_ms=_ms(generation.first_byte, generation.started),
        duration_ms=_ms(now, generation.started),
        generation_ms=None if trace.sent is None else _ms(now, trace.sent),
        external_user=_text(fields.get("user"), _LONGEST_USER),
        session_id=_text(fields.get("session_id"), LONGEST_SESSION) or told.session_id,
        referer=told.referer,
        title=told.title,
        user_agent=told.user_agent,
        upstream_id=trace.upstream_id,
        preset_id=trace.preset_id,
        service_tier=trace.service_tier,
        answers=to_text(trace.answered),
        media=trace.media,
        reasoning_tokens=trace.reasoning_tokens,
        cache_discount=_discount(usage, pool.price) if pool and charged else None,
        cached_from=trace.cached_from,
    )


def _discount(usage: Usage, price: Price) -> int | None:
    """Nano-dollars that the cache saved; None: nothing was cached, or cached tokens cost as much as others."""
    cached = min(usage.cached_tokens, usage.prompt_tokens)
    if price.cached_prompt is None or not cached:
        return None
    return round(cached * (price.prompt - price.cached_prompt) * NANO)


def _text(raw: bytes | None, longest: int) -> str | None:
    """What a field of the request says, if it is a text."""
    if raw is None or len(raw) > _LONGEST_RAW:
        return None
    try:
        text = msgspec.json.decode(raw, type=str)
    except (msgspec.DecodeError, UnicodeError):
        return None
    return "".join(each for each in text[:longest] if each.isprintable()) or None


def _ms(moment: float | None, since: float) -> int | None:
    return None if moment is None else round((moment - since) * 1e3)
