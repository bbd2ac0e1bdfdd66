"""Guardrails and which keys they hold for."""

import pytest

from router.policy.key import Interval
from router.protocol.errors import ApiError
from router.protocol.plugins.builtin_filters import BuiltinFilter
from router.protocol.plugins.content_filter import Action, ContentFilter
from router.store.rule_records import (
    Assignment,
    DataRules,
    GuardrailChange,
    GuardrailRecord,
    NewGuardrail,
    NewWorkspace,
    Rules,
)
from tests.router.store.support import NOW, Stores, new_key, with_stores

A, B = "a" * 64, "b" * 64
RULES = Rules(
    limit=5,
    limit_reset=Interval.MONTHLY,
    include_byok_in_budgets=True,
    allowed_models=("m1",),
    ignored_models=("m2",),
    allowed_providers=(),
    ignored_providers=("p'); --",),
    content_filters=(ContentFilter("a\\b", Action.REDACT, "'; --"), ContentFilter("é")),
    content_filter_builtins=(BuiltinFilter("email", Action.FLAG, "user_only"),),
    data=DataRules(enforce_zdr_other=True, enable_paid_model_training=False),
)


def test_a_guardrail_comes_back_as_it_was_made_and_changed(url: str) -> None:
    async def use(stores: Stores) -> None:
        made = await stores.guardrails.create(NewGuardrail("name", "words", rules=RULES))
        assert GuardrailRecord("guardrail-1", "default", "name", "words", RULES, NOW, None) == made
        assert made == await stores.guardrails.get("guardrail-1")
        stores.now = NOW + 5
        change = GuardrailChange(name="new", description=None, rules=Rules())
        expected = GuardrailRecord("guardrail-1", "default", "new", None, Rules(), NOW, NOW + 5)
        assert expected == await stores.guardrails.update("guardrail-1", change)
        assert expected == await stores.guardrails.update("guardrail-1", GuardrailChange())
        assert await stores.guardrails.delete("guardrail-1")
        for missing in ("guardrail-1", "\0"):
            assert await stores.guardrails.get(missing) is None
            assert await stores.guardrails.update(missing, change) is None
            assert not await stores.guardrails.delete(missing)

    with_stores(url, use)


def test_pages_are_of_one_workspace_or_of_all(url: str) -> None:
    async def use(stores: Stores) -> None:
        other = (await stores.workspaces.create(NewWorkspace("o", "O"))).id
        for number in range(4):
            stores.now = NOW + number
            await stores.guardrails.create(NewGuardrail(f"g{number}", workspace=other if number == 1 else "default"))

        async def page(*args: object, **kwargs: object) -> list[str]:
            return [each.name for each in await stores.guardrails.page(*args, **kwargs)]  # type: ignore[arg-type]

        assert ["g0", "g2", "g3"] == await page()
        assert ["g1"] == await page(other)
        assert ["g1", "g2"] == await page(None, offset=1, limit=2)
        assert [] == await page("\0")
        assert [3, 4, 0] == [await stores.guardrails.count(each) for each in ("default", None, "\0")]

    with_stores(url, use)


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (NewGuardrail("g", workspace="nowhere"), "workspace_id"),
        (NewGuardrail("g\0"), "name"),
        (NewGuardrail("g", rules=Rules(limit=5)), "reset_interval"),
        (NewGuardrail("g", rules=Rules(limit_reset=Interval.DAILY)), "reset_interval"),
        (NewGuardrail("g", rules=Rules(limit=5, limit_reset=Interval.LIFETIME)), "reset_interval"),
        (NewGuardrail("g", rules=Rules(limit=-1, limit_reset=Interval.DAILY)), "limit_usd"),
        (NewGuardrail("g", rules=Rules(ignored_models=("a", "\0"))), "ignored_models[1]"),
        (NewGuardrail("g", rules=Rules(content_filters=(ContentFilter("\0"),))), "content_filters[0].pattern"),
        (NewGuardrail("g", rules=Rules(content_filters=(ContentFilter("a", label="\0"),))), "content_filters[0].label"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_name(url: str, new: NewGuardrail, field: str) -> None:
    async def use(stores: Stores) -> None:
        with pytest.raises(ApiError) as caught:
            await stores.guardrails.create(new)
        assert (400, field) == (caught.value.status, caught.value.field)

    with_stores(url, use)


def test_guardrails_are_assigned_to_keys(url: str) -> None:
    async def use(stores: Stores) -> None:
        for key in (A, B):
            await stores.keys.create(new_key(key, name=key[0]))
        for name in ("g1", "g2"):
            await stores.guardrails.create(NewGuardrail(name))
        assert 1 == await stores.guardrails.assign("guardrail-1", [A], by="somebody")
        stores.now = NOW + 1
        assert 1 == await stores.guardrails.assign("guardrail-1", [B, A, B])
        assert 1 == await stores.guardrails.assign("guardrail-2", [A])
        assert 0 == await stores.guardrails.assign("guardrail-2", [])
        found, count = await stores.guardrails.assignments("guardrail-1")
        label = "sk-or-v1-abc...123"
        assert 2 == count
        assert Assignment("guardrail-3", "guardrail-1", A, "a", label, "somebody", NOW) == found[0]
        assert (B, None, NOW + 1) == (found[1].key, found[1].assigned_by, found[1].created_at)
        found, count = await stores.guardrails.assignments(limit=1, offset=2)
        assert (1, 3) == (len(found), count)
        with pytest.raises(ApiError, match="there is no key nobody"):
            await stores.guardrails.assign("guardrail-2", [A, "nobody"])
        assert 1 == await stores.guardrails.unassign("guardrail-1", [A, "nobody", "\0"])
        await stores.keys.delete(B)
        assert ([], 0) == await stores.guardrails.assignments("guardrail-1")
        assert ([], 0) == await stores.guardrails.assignments("\0")
        for missing in ("guardrail-9", "\0"):
            assert await stores.guardrails.assign(missing, [A]) is None
            assert await stores.guardrails.unassign(missing, [A]) is None

    with_stores(url, use)
