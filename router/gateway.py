"""ONE request's life, from a parsed request to the last byte.

    plan → reserve → [ (wait) → pick → send → first byte = commit ] × attempts → relay → settle

`Gateway.answer` is that list of stages. What is decided is decided in `policy/`; what bytes mean is known in
`protocol/`; this file performs the attempts that the policy names and passes the answer on. It knows no web framework:
the client is anything with `start` and `write`, the fleet anything with `send`.

Rules that must hold here:
- every lease and every ticket ends exactly once, whatever happens, also when the caller is cancelled at any await;
- what an answer came to is written down before its last byte is given out;
- before the first body byte of an engine a failure is invisible, or a real HTTP status; after it, an error event;
- the answer ends with what the engine said, never with an invented `[DONE]`.
"""

import asyncio
import logging
import math
from functools import partial
from typing import Protocol

from router.company import Client, Company, StreamSettings
from router.generation import Generation
from router.hedging import send_hedged
from router.lobby import Lobby
from router.policy.attempt import Attempt
from router.policy.auto import ANY_MODEL, AutoRouter
from router.policy.catalog import Price
from router.policy.lease import Pick
from router.policy.outcome import Outcome, StreamBroken, Verdict
from router.policy.plan import Planner
from router.policy.route import Clock, Refusal, Route, Rules, Wait, hedge, route
from router.protocol.conditions import read_conditions
from router.protocol.dialects.phrasebook import Phrasebook
from router.protocol.echo import echo_chunk, wants_echo
from router.protocol.errors import ApiError
from router.protocol.explain import Tried, log_line
from router.protocol.refusals import no_pool, of_refusal
from router.protocol.request import Request
from router.protocol.splice import Splicer
from router.relay import Committed, Relay, Reply

logger = logging.getLogger(__name__)

NO_PRICE = Price()  # of an answer that never came
NO_PROVIDERS = Phrasebook({})


class Upstream(Protocol):
    """Sends an attempt. A failure of the endpoint is a Reply, never an exception."""

    async def send(self, attempt: Attempt, path: str, body: bytes, *, stream: bool) -> Reply: ...


class Listener(Protocol):
    """Who is told what happens to requests. Must not raise."""

    def on_decided(self, seconds: float) -> None: ...
    def on_waited(self, pool: str, seconds: float) -> None: ...
    def on_end(self, generation: Generation) -> None: ...


class Gateway:
    """Shared by all requests of a configuration; holds no state of any one of them.

    `lobby`: where those of all configurations wait; None: its own.
    """

    def __init__(
        self,
        *,
        planner: Planner,
        rules: Rules,
        upstream: Upstream,
        phrases: Phrasebook = NO_PROVIDERS,
        stream: StreamSettings,
        clock: Clock,
        listener: Listener,
        lobby: Lobby | None = None,
    ) -> None:
        self._planner = planner
        self._rules = rules
        self._upstream = upstream
        self._phrases = phrases
        self._stream = stream
        self._clock = clock
        self._listener = listener
        self._lobby = Lobby(clock) if lobby is None else lobby

    async def answer(self, generation: Generation, client: Client) -> None:
        """Answer one request.

        Raises ApiError as long as nothing was sent to the client; after that errors go into the stream.
        """
        request = generation.request
        try:
            generation.conditions = read_conditions(
                request.router_fields,
                request.parameters,
                key=generation.key,
                session=generation.session,
                auto=_auto(request),
                cannot=partial(self._phrases.cannot, request),
            )
            planned = self._planner.plan(request.call, generation.started, generation.conditions)
            generation.plan = planned
            if not planned.pools:
                raise no_pool(request.call, planned)
            generation.pools = planned.pools
            await generation.ticket.open(generation)
            attempts = route(request.call, planned.pools, self._rules, self._clock)
            if request.call.stream:
                await self._answer_streaming(attempts, generation, client)
            else:
                await self._answer_whole(attempts, generation, client)
        except asyncio.CancelledError:
            generation.outcome = Outcome(Verdict.CANCELLED)
            raise
        except ApiError as error:
            generation.outcome = generation.outcome or _refused(error)
            if error.status not in (429, 500):  # as OpenRouter has it
                error.routing = generation.explained()
            raise
        finally:
            self._remember(generation)
            self.over(generation)

    def _remember(self, generation: Generation) -> None:
        """The pool that answered a session well is the first that its next turn asks."""
        pool, outcome = generation.pool, generation.outcome
        if pool is not None and outcome is not None and outcome.verdict is Verdict.OK:
            ended = self._clock() if generation.ended is None else generation.ended
            self._planner.has_served(generation.request.call, generation.conditions, pool, ended)

    def over(self, generation: Generation) -> None:
        """Settle a request that has ended, and tell of it."""
        generation.ended = self._clock()
        generation.ticket.close(generation)
        self._listener.on_end(generation)

    async def _answer_whole(self, attempts: Route, generation: Generation, client: Client) -> None:
        committed = await self._commit(attempts, generation)
        committed.reply.close()
        generation.ticket.close(generation)
        await client.start(stream=False, length=len(committed.first))
        await client.write(committed.first, more=False)

    async def _answer_streaming(self, attempts: Route, generation: Generation, client: Client) -> None:
        company = Company(client, self._stream)
        try:
            committed = await company.wait_for(self._commit(attempts, generation))
        except ApiError as error:
            if not company.has_started:
                raise
            generation.outcome = generation.outcome or _refused(error)
            splicer = Splicer(generation.identity(), NO_PRICE, explain=generation.explained)
            generation.ticket.close(generation)
            await client.write(splicer.error_event(error), more=False)
            return
        relay = Relay(committed)
        try:
            if not company.has_started:
                await client.start(stream=True, length=None)
            async for chunk in relay:
                if relay.is_whole:
                    _note_end(relay, generation)
                    generation.ticket.close(generation)
                await client.write(chunk, more=True)
            await client.write(b"", more=False)
        except StreamBroken as broken:
            refusal = Refusal(generation.attempts, broken.outcome, generation.pool)
            _note_end(relay, generation)
            generation.ticket.close(generation)
            told = of_refusal(refusal, generation.request.call, excluded=generation.plan.excluded)
            await client.write(relay.error_event(told), more=False)
        finally:
            relay.close()
            _note_end(relay, generation)

    async def _commit(self, attempts: Route, generation: Generation) -> Committed:
        """Make attempts until one has its first body byte; raise ApiError when the policy gives up."""
        pick = await self._next(attempts, None, generation, b"")
        while True:
            sent = self._clock()
            pick, reply = await self._send(pick, generation)
            try:
                outcome, committed = self._accept(pick, reply, generation)
            except BaseException:
                pick.lease.end(Outcome(Verdict.CANCELLED))
                reply.close()
                raise
            generation.trace.attempted(pick.attempt.pool, outcome, sent, self._clock())
            if committed is not None:
                attempts.close()  # nothing more is tried, so what it knows of the fleet can go
                return committed
            pick.lease.end(outcome)
            generation.outcome = outcome
            if generation.tried:
                generation.tried[-1].outcome = outcome
            reply.close()
            pick = await self._next(attempts, outcome, generation, reply.body)

    async def _next(self, attempts: Route, outcome: Outcome | None, generation: Generation, answer: bytes) -> Pick:
        """The next attempt, after waiting for its turn. Raises ApiError when the policy makes none.

        `answer`: the body of the last attempt, which ended as `outcome` says.
        """
        started = self._clock()
        try:
            step = next(attempts) if outcome is None else attempts.send(outcome)
            while isinstance(step, Wait):
                await self._lobby.wait(step, self._rules)
                waited, started = started, self._clock()
                self._listener.on_waited(step.pool.name, started - waited)
                step = attempts.send(None)
        except StopIteration as stop:
            generation.unsent = stop.value.reason
            call, excluded = generation.request.call, generation.plan.excluded
            raise of_refusal(stop.value, call, answer, excluded=excluded) from None
        self._listener.on_decided(self._clock() - started)
        generation.attempts, generation.pool = step.attempt.number, step.attempt.pool
        self._note(step, generation)
        return step

    def _note(self, pick: Pick, generation: Generation) -> None:
        """Keep why an attempt is made, if anybody wants to know: the columns of a large fleet are not small."""
        is_logged = logger.isEnabledFor(logging.DEBUG)
        if generation.wants_metadata or is_logged:
            generation.tried.append(Tried(pick.attempt, pick.decision, pick.balancer))
        if is_logged:
            logger.debug("%s: %s", generation.id, log_line(generation.tried[-1], generation.request.call))

    async def _send(self, first: Pick, generation: Generation) -> tuple[Pick, Reply]:
        """Perform an attempt up to its first body byte, of a late stream maybe two side by side; the one that counts.

        Ends all leases when it is cancelled.
        """
        call, sent = generation.request.call, self._clock()
        delay_s = self._rules.hedges(first.attempt.pool.name).delay_s(first.decision.predicted_s)
        pick, reply = await send_hedged(
            first,
            partial(self._perform, generation=generation),
            delay_s=delay_s if call.stream else math.inf,
            second=partial(hedge, call, first, sent, self._rules, self._clock),
        )
        if pick is not first:
            self._rules.hedges(first.attempt.pool.name).learn(first.decision.predicted_s, self._clock() - sent)
            self._note(pick, generation)
        return pick, reply

    async def _perform(self, pick: Pick, generation: Generation) -> Reply:
        """Send one attempt. Ends its lease when it is cancelled."""
        request = generation.request
        generation.sends += 1
        presumed = None
        if not request.call.stream:  # its first byte comes with its last: the prompt is computed long before
            loop = asyncio.get_running_loop()
            presumed = loop.call_later(pick.decision.predicted_s, pick.lease.presume_read)
        try:
            said = self._phrases.say(request, pick.attempt.pool, generation_id=generation.id)
            if request.call.stream and wants_echo(request.router_fields.get("debug")):
                generation.echoes.append(echo_chunk(generation.identity(), request.kind.chunk, said.body))
            return await self._upstream.send(pick.attempt, said.path, said.body, stream=request.call.stream)
        except BaseException:
            pick.lease.end(Outcome(Verdict.CANCELLED))
            raise
        finally:
            if presumed is not None:
                presumed.cancel()

    def _accept(self, pick: Pick, reply: Reply, generation: Generation) -> tuple[Outcome, Committed | None]:
        """Turn the head of a reply into the start of the client's answer, or say why it cannot be."""
        if reply.outcome.verdict is not Verdict.OK:
            return reply.outcome, None
        call, identity, price = generation.request.call, generation.identity(), pick.attempt.pool.price
        if call.stream:
            splicer = Splicer(
                identity,
                price,
                choices=generation.request.choices,
                prompt_tokens=call.prompt_tokens,
                explain=generation.explained,
            )
            first = splicer.feed(reply.body)
            if splicer.failure is not None:
                return splicer.failure, None
            generation.first_byte = self._clock()
            pick.lease.commit()
            return reply.outcome, Committed(pick.lease, reply, splicer, b"".join([*generation.echoes, first]))
        try:
            whole = generation.request.kind.reshape(
                reply.body, identity, price, prompt_tokens=call.prompt_tokens, explained=generation.explained()
            )
        except ValueError as error:
            return Outcome(Verdict.UNAVAILABLE, reply.outcome.status, f"not a completion: {error}"), None
        if generation.request.kind.is_free:  # nothing was computed: nothing to learn of, to count or to pay
            generation.outcome = reply.outcome
            pick.lease.end(reply.outcome)
            return reply.outcome, Committed(pick.lease, reply, None, whole.body)
        generation.first_byte = self._clock()
        generation.outcome, generation.usage = reply.outcome, whole.usage
        generation.finish_reason = whole.finish_reason
        generation.trace.native_finish_reason = whole.native_finish_reason
        pick.lease.commit()
        pick.lease.end(reply.outcome, whole.usage)
        return reply.outcome, Committed(pick.lease, reply, None, whole.body)


def _auto(request: Request) -> AutoRouter:
    """What the plugin says of the models that may be chosen."""
    prepared = request.prepared
    return (None if prepared is None else prepared.plugins.auto_router) or ANY_MODEL


def _note_end(relay: Relay, generation: Generation) -> None:
    generation.outcome, generation.usage = relay.outcome, relay.usage
    generation.finish_reason = relay.finish_reason
    generation.trace.native_finish_reason = relay.native_finish_reason


def _refused(error: ApiError) -> Outcome:
    """The outcome of a request for which no attempt was made."""
    return Outcome(Verdict.OVERLOADED if error.status >= 500 else Verdict.REJECTED, error.status)
