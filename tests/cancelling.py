"""Cancels a task at a chosen await, so that a test can go through all of them."""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class CancelAt(Generic[T]):
    """Awaiting this runs the coroutine and cancels the current task at the coroutine's n-th suspension (from 1).

    `was_cancelled` tells whether there were that many.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, T], n: int) -> None:
        self._coroutine = coroutine
        self._n = n
        self.was_cancelled = False

    def __await__(self) -> Generator[Any, Any, T]:
        suspensions = 0
        thrown: BaseException | None = None
        while True:
            try:
                waits_for = self._coroutine.send(None) if thrown is None else self._coroutine.throw(thrown)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            suspensions += 1
            if suspensions == self._n:
                self.was_cancelled = True
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            try:
                thrown = None
                yield waits_for
            except BaseException as error:  # noqa: BLE001 (handed to the coroutine, which decides)
                thrown = error
