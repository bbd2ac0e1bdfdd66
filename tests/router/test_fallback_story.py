"""Fallback as a caller lives it: from what was asked to what was sent where, and what was told.

Two models, three pools: `here` and `there` serve the small one, `big` the large one.
"""

import asyncio
import json
import random
from typing import Any

import pytest

from router.company import StreamSettings
from router.gateway import Gateway
from router.generation import Generation
from router.policy.catalog import Endpoint, EndpointId, Pool, Price
from router.policy.load import TokenLoad
from router.policy.model_names import ModelNames
from router.policy.outcome import Outcome, Verdict
from router.policy.plan import Planner
from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.request import parse_chat
from tests.router.accounts import ME, accounting
from tests.router.rules import Seen, rules
from tests.router.test_gateway import OK, REFUSED, WHOLE, FakeClient, FakeReply, FakeUpstream, Heard

HERE = Pool("here", "m/small", "small", provider="Here", slug="here", parameters=frozenset({"max_tokens", "seed"}))
THERE = Pool("there", "m/small", "small", provider="There", slug="there", tier=1, price=Price(1e-6, 1e-6), trains=True)
BIG = Pool("big", "m/big", "big", provider="Here", slug="here")
TOO_LONG = Outcome(Verdict.REJECTED, 400, "HTTP 400")
TOO_LONG_BODY = b'{"error":{"message":"prompt is too long: 9000 tokens > 8000 maximum"}}'


class World:
    def __init__(self, *replies: FakeReply) -> None:
        self.upstream = FakeUpstream(*replies)
        seen, heard = Seen(), Heard()
        self.client = FakeClient()
        self.accounting = accounting(self.client.journal, clock=lambda: 0.0)
        decided = rules(
            lambda pool: [Endpoint(EndpointId(f"{pool}-0"), f"http://{pool}-0")], observer=seen, load=TokenLoad()
        )
        names = ModelNames([THERE, HERE, BIG], aliases={"gpt-4o": "m/small"})
        self.gateway = Gateway(
            planner=Planner(names, performance=decided.performance, rng=random.Random(1)),
            rules=decided,
            upstream=self.upstream,
            stream=StreamSettings(comment_after_s=None),
            clock=lambda: 0.0,
            listener=heard,
        )

    def ask(self, session: str | None = None, **fields: Any) -> dict[str, Any]:
        body = {"model": "m/small", "messages": [{"role": "user", "content": "What is it?"}]}
        request = parse_chat(json.dumps(body | fields).encode(), Limits())
        ticket = self.accounting.admit(ME)
        generation = Generation("gen-1", request, 0.0, 1, ME, ticket, wants_metadata=True, session=session)
        self.client.data, self.client.is_complete = b"", False
        asyncio.run(self.gateway.answer(generation, self.client))
        answer = json.loads(self.client.data)
        assert isinstance(answer, dict)
        return answer

    def refused(self, **fields: Any) -> ApiError:
        with pytest.raises(ApiError) as caught:
            self.ask(**fields)
        return caught.value

    def asked(self) -> list[str]:
        return [attempt.pool.name for attempt, _ in self.upstream.sent]


def answered() -> FakeReply:
    return FakeReply(OK, WHOLE)


def test_a_pool_that_is_down_is_invisible_but_for_the_metadata() -> None:
    world = World(FakeReply(REFUSED), answered())
    answer = world.ask()
    assert (["here", "there"], "m/small", "There") == (world.asked(), answer["model"], answer["provider"])
    told = answer["openrouter_metadata"]
    assert ("fallback", 2, [502, 200]) == (told["strategy"], told["attempt"], [a["status"] for a in told["attempts"]])


def test_what_is_too_long_for_the_small_model_is_answered_by_the_large_one() -> None:
    world = World(FakeReply(TOO_LONG, TOO_LONG_BODY), answered())
    answer = world.ask(models=["m/big"])
    assert (["here", "big"], "m/big") == (world.asked(), answer["model"])


def test_when_all_fail_the_last_error_is_told_with_those_before_it() -> None:
    world = World(FakeReply(REFUSED), FakeReply(TOO_LONG, TOO_LONG_BODY), FakeReply(REFUSED))
    error = world.refused(models=["m/big"])
    assert (502, ["here", "there", "big"]) == (error.status, world.asked())
    told: Any = error.metadata["previous_errors"]
    assert [("Here", 502), ("There", 400)] == [(each["provider"], each["code"]) for each in told]


def test_without_fallbacks_the_first_error_is_told() -> None:
    world = World(FakeReply(REFUSED))
    assert 502 == world.refused(provider={"allow_fallbacks": False}).status
    assert ["here"] == world.asked()


def test_an_alias_is_answered_under_the_models_own_name() -> None:
    answer = World(answered()).ask(model="gpt-4o:floor")
    assert ("m/small", "alias") == (answer["model"], answer["openrouter_metadata"]["strategy"])


def test_whoever_names_a_provider_gets_it_first() -> None:
    world = World(answered())
    world.ask(provider={"order": ["There"]})
    assert ["there"] == world.asked()


def test_a_pool_that_trains_gets_nothing_that_must_not_be_trained_on() -> None:
    world = World(FakeReply(REFUSED))
    error = world.refused(provider={"data_collection": "deny"})
    assert ["here"] == world.asked()
    told: Any = error.metadata["availability"]
    assert {"there": "data_policy:training"} == told["excluded_by"]


def test_fields_that_a_pool_does_not_obey_are_dropped() -> None:
    world = World(FakeReply(REFUSED), answered())
    world.ask(temperature=0.5, seed=1)
    (_, here), (_, there) = world.upstream.sent
    assert (False, 1) == ("temperature" in here, here["seed"])
    assert (0.5, 1) == (there["temperature"], there["seed"])


def test_a_session_stays_with_the_pool_that_served_it_within_its_tier() -> None:
    world = World(*[answered() for _ in range(3)])
    for _ in range(3):
        world.ask(session="talk")
    assert ["here"] * 3 == world.asked()


def test_a_wrong_preference_is_a_400_and_nothing_is_sent() -> None:
    world = World()
    error = world.refused(provider={"sort": "cheapest"})
    assert (400, "provider.sort", []) == (error.status, error.field, world.asked())
