"""What may be spent and was, over all workspaces."""

from router.policy.key import Interval
from router.store.credits import Credits, CreditStore
from router.store.rule_records import NewWorkspace
from tests.router.store.support import Stores, entry, with_stores


def test_nothing_was_spent_at_the_beginning(url: str) -> None:
    async def use(stores: Stores) -> None:
        assert Credits(0, 0) == await CreditStore(stores.database).all()

    with_stores(url, use)


def test_a_workspace_counts_with_its_budget_for_ever_or_with_what_it_spent(url: str) -> None:
    async def use(stores: Stores) -> None:
        for slug in ("rich", "new"):
            workspace = await stores.workspaces.create(NewWorkspace(slug, slug))
            await stores.budgets.put(workspace.id, Interval.LIFETIME, 1_000)
            await stores.budgets.put(workspace.id, Interval.DAILY, 10)
        await stores.budgets.put("default", Interval.DAILY, 5)
        rich = await stores.workspaces.get("rich")
        assert rich is not None
        await stores.ledger.write([entry(1, cost=30), entry(2, cost=7, workspace=rich.id), entry(3, workspace="gone")])
        assert Credits(30 + 1_000 + 1_000 + 1_000_000, 37 + 1_000_000) == await CreditStore(stores.database).all()

    with_stores(url, use)
