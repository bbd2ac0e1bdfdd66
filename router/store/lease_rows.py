"""Rows of leases: locked, and made smaller, in one order by everybody (see `ledger`)."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, bindparam, case, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from router.policy.key import Interval, Window
from router.store.schema import leases

_ORDER = tuple(leases.primary_key)


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """What a router holds of a window, alive or not."""

    window: Window
    router: str
    nano: int
    expires_at: float


async def lock(connection: AsyncConnection, which: ColumnElement[bool]) -> list[LeaseRow]:
    """Nobody else changes these rows before the transaction is over."""
    rows = await connection.execute(select(leases).where(which).order_by(*_ORDER).with_for_update())
    return [
        LeaseRow(Window(row.owner, Interval(row.interval), row.start), row.router, row.nano, row.expires_at)
        for row in rows
    ]


async def shrink(connection: AsyncConnection, amounts: Mapping[tuple[Window, str], int]) -> None:
    """By so much, and never below nothing; of windows and routers that hold something."""
    routers, owners = {router for _, router in amounts}, {window.owner for window, _ in amounts}
    held = select(*_ORDER).where(leases.c.router.in_(routers), leases.c.owner.in_(owners)).order_by(*_ORDER)
    values = [
        {"the_owner": owner, "the_interval": interval, "the_start": start, "the_router": router, "less": amount}
        for owner, interval, start, router in await connection.execute(held)
        if (amount := amounts.get((Window(owner, Interval(interval), start), router)))
    ]
    if not values:
        return
    less = bindparam("less", type_=leases.c.nano.type)
    this = and_(*(column == bindparam(f"the_{column.name}") for column in _ORDER))
    left = case((leases.c.nano > less, leases.c.nano - less), else_=0)
    await connection.execute(update(leases).where(this).values(nano=left), values)
