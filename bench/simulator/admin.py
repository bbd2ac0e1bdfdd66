"""The door for faults, beside the engines' own ports so that it opens when those do not.

    GET    /admin/state                what every engine is doing
    PUT    /admin/faults[?engine=N]    have these faults and no others; a JSON object or an array (see faults)
    DELETE /admin/faults[?engine=N]    have none; a dead engine begins anew

Engines are counted from 0; without `engine` all are meant. Answers are the state after it.
"""

import asyncio
from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

import msgspec

from bench.simulator.faults import Fault, read_faults
from bench.simulator.http import Exchange, Listener
from bench.simulator.replica import Replica


class Admin:
    """One for all replicas of a process."""

    def __init__(self, replicas: Sequence[Replica], host: str, port: int) -> None:
        self.listener = Listener(self._handle, host, port)
        self._replicas = replicas
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        await self.listener.open()

    def close(self) -> None:
        """Stop listening."""
        for task in self._tasks:
            task.cancel()
        self.listener.refuse()
        self.listener.abort()

    def _handle(self, exchange: Exchange) -> None:
        url = urlsplit(exchange.target)
        try:
            replicas = self._chosen(parse_qs(url.query, strict_parsing=bool(url.query)))
            match exchange.method, url.path:
                case "GET", "/admin/state":
                    self._answer(exchange)
                case "PUT", "/admin/faults":
                    self._change(exchange, replicas, read_faults(exchange.body))
                case "DELETE", "/admin/faults":
                    self._change(exchange, replicas, [])
                case _:
                    exchange.answer(404, b'{"error":"there are /admin/state and /admin/faults"}')
        except ValueError as error:
            exchange.answer(400, msgspec.json.encode({"error": str(error)}))

    def _chosen(self, query: dict[str, list[str]]) -> Sequence[Replica]:
        if unknown := query.keys() - {"engine"}:
            raise ValueError(f"unknown parameter {min(unknown)!r}; there is only `engine`")
        if "engine" not in query:
            return self._replicas
        number = query["engine"][0]
        if not number.isdigit() or int(number) >= len(self._replicas):
            raise ValueError(f"engine must be from 0 to {len(self._replicas) - 1}, got {number!r}")
        return [self._replicas[int(number)]]

    def _change(self, exchange: Exchange, replicas: Sequence[Replica], faults: Sequence[Fault]) -> None:
        async def change() -> None:
            for replica in replicas:
                await replica.set_faults(faults)
            self._answer(exchange)

        task = asyncio.ensure_future(change())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _answer(self, exchange: Exchange) -> None:
        exchange.answer(200, msgspec.json.encode({"engines": [replica.state() for replica in self._replicas]}))
