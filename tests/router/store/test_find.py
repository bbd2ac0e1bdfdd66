"""What holds for a key: its own limits, its guardrails' and its workspace's."""

from router.policy.call import Priority
from router.policy.data_policy import DataPolicy
from router.policy.key import Budget, Interval, Key, Rates, Scope
from router.protocol.plugins.builtin_filters import BuiltinFilter
from router.protocol.plugins.content_filter import Action, ContentFilter
from router.protocol.plugins.guardrail_filters import from_text
from router.store.key_records import KeyChange
from router.store.rule_records import DataRules, NewGuardrail, NewWorkspace, Rules
from tests.router.store.support import NOW, Stores, new_key, with_stores

A, B = "a" * 64, "b" * 64


def test_a_plain_key_may_do_everything(url: str) -> None:
    async def use(stores: Stores) -> None:
        await stores.keys.create(new_key(A))
        assert {A: Key(id=A, name="a name")} == await stores.keys.find([A, B, "\0", "'; DROP TABLE keys; --"])
        assert {} == await stores.keys.find([])

    with_stores(url, use)


def test_all_that_holds_for_a_key_is_found_in_the_order_of_its_checks(url: str) -> None:
    async def use(stores: Stores) -> None:
        workspace = (await stores.workspaces.create(NewWorkspace("team", "Team"))).id
        month = await stores.budgets.put(workspace, Interval.MONTHLY, 90)
        day = await stores.budgets.put(workspace, Interval.DAILY, 30)
        new = new_key(
            A,
            workspace=workspace,
            is_management=True,
            expires_at=NOW + 1,
            limit=10,
            rates=Rates(1, 2, 3),
            priority=Priority.BATCH,
            models=("m1", "m2", "m3"),
        )
        await stores.keys.create(new)
        await stores.keys.create(new_key(B, limit=7, limit_reset=Interval.DAILY))
        await stores.keys.update(A, KeyChange(is_disabled=True))
        rules = [
            Rules(limit=4, limit_reset=Interval.WEEKLY, allowed_models=("m2", "m3"), ignored_providers=("p1",)),
            Rules(ignored_models=("m2",), allowed_providers=("p1", "p2"), ignored_providers=("p2",)),
            Rules(limit=5, limit_reset=Interval.DAILY, allowed_models=("m3", "m4"), ignored_models=("m9",)),
        ]
        made = []
        for number, each in enumerate(rules):
            stores.now = NOW + number
            made.append((await stores.guardrails.create(NewGuardrail(f"rule {number}", rules=each))).id)
            await stores.guardrails.assign(made[-1], [A])
        expected = Key(
            id=A,
            name="a name",
            is_management=True,
            is_disabled=True,
            expires_at=NOW + 1,
            workspace=workspace,
            priority=Priority.BATCH,
            rates=Rates(1, 2, 3),
            budgets=(
                Budget(Scope.GUARDRAIL, f"key:{A}", Interval.WEEKLY, 4, made[0]),
                Budget(Scope.GUARDRAIL, f"key:{A}", Interval.DAILY, 5, made[2]),
                Budget(Scope.WORKSPACE, f"workspace:{workspace}", Interval.DAILY, 30, day.id),
                Budget(Scope.WORKSPACE, f"workspace:{workspace}", Interval.MONTHLY, 90, month.id),
                Budget(Scope.KEY, f"key:{A}", Interval.LIFETIME, 10),
            ),
            models=frozenset({"m3"}),
            ignored_models=frozenset({"m2", "m9"}),
            providers=frozenset({"p1", "p2"}),
            ignored_providers=frozenset({"p1", "p2"}),
        )
        other = Key(id=B, name="a name", budgets=(Budget(Scope.KEY, f"key:{B}", Interval.DAILY, 7),))
        assert {A: expected, B: other} == await stores.keys.find([A, B])
        await stores.guardrails.delete(made[0])
        await stores.guardrails.unassign(made[2], [A])
        found = (await stores.keys.find([A]))[A]
        assert frozenset({"m1", "m2", "m3"}) == found.models
        assert [Scope.WORKSPACE, Scope.WORKSPACE, Scope.KEY] == [each.scope for each in found.budgets]

    with_stores(url, use)


def test_filters_and_demands_about_data_add_up(url: str) -> None:
    async def use(stores: Stores) -> None:
        await stores.keys.create(new_key(A))
        rules = [
            Rules(
                content_filters=(ContentFilter("a", Action.FLAG, "[A]"), ContentFilter("b")),
                data=DataRules(enforce_zdr_openai=True, enforce_zdr_other=False, enable_paid_model_training=False),
            ),
            Rules(
                content_filters=(ContentFilter("a", Action.REDACT),),
                content_filter_builtins=(BuiltinFilter("email", Action.REDACT),),
                data=DataRules(enforce_zdr_other=True, enforce_zdr_openai=False, enable_paid_model_training=True),
            ),
            Rules(content_filter_builtins=(BuiltinFilter("email", Action.FLAG),)),
        ]
        for number, each in enumerate(rules):
            stores.now = NOW + number
            made = await stores.guardrails.create(NewGuardrail("g", rules=each))
            await stores.guardrails.assign(made.id, [A])
        key = (await stores.keys.find([A]))[A]
        ids = [each.id for each in await stores.guardrails.page()]
        assert [
            ContentFilter("a", Action.REDACT, "[A]", ids[1]),
            ContentFilter("b", guardrail=ids[0]),
            BuiltinFilter("email", Action.REDACT, guardrail=ids[1]),
        ] == [from_text(each) for each in key.filters]
        assert DataPolicy(frozenset({"openai", "other"}), denies_paid_training=True) == key.data_policy
        assert hash(key) == hash((await stores.keys.find([A]))[A])

    with_stores(url, use)


def test_demands_that_nothing_meets_allow_nothing(url: str) -> None:
    async def use(stores: Stores) -> None:
        await stores.keys.create(new_key(A, models=("m1",)))
        rule = await stores.guardrails.create(NewGuardrail("g", rules=Rules(allowed_models=("m2",))))
        await stores.guardrails.assign(rule.id, [A])
        assert frozenset() == (await stores.keys.find([A]))[A].models

    with_stores(url, use)
