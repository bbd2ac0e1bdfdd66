"""Accounts without a database, for tests that are about something else, and a journal that remembers."""

from collections.abc import Awaitable, Callable, Sequence

from router.accounting import Accounting
from router.policy.key import ANONYMOUS, Key
from router.policy.lending import Want
from router.policy.quota import Quotas, QuotaSettings
from router.protocol.entry import Entry, Opened


class Journal:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.has_room = True
        self.begun: list[Opened] = []
        self.ended: list[Entry] = []

    def opened(self, opened: Opened) -> None:
        self.begun.append(opened)

    def closed(self, entry: Entry) -> None:
        self.ended.append(entry)

    def assert_each_is_written_once(self) -> None:
        assert [each.id for each in self.begun] == [each.id for each in self.ended]


def accounting(
    journal: Journal | None = None,
    *,
    quotas: Quotas | None = None,
    borrow: Callable[[Sequence[Want]], Awaitable[bool]] | None = None,
    clock: Callable[[], float] = lambda: 0.0,
    wall_clock: Callable[[], float] = lambda: 1_000_000.0,
    routers: int = 1,
) -> Accounting:
    """Of a router that nobody shares a key with."""
    return Accounting(
        quotas or Quotas(QuotaSettings()),
        journal=journal,
        borrow=borrow,
        router="boot",
        routers=lambda: routers,
        clock=clock,
        wall_clock=wall_clock,
    )


ME = Key(id="config:me", name="me")
EVERYBODY = ANONYMOUS
