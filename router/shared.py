"""Parts that editions of the configuration have in common (see edition).

A part is made for settings. Whoever asks for the same name with equal settings, while anybody still holds it, gets the
same one, so what it has learnt or has open goes on; with other settings a new one is made beside it. When nobody holds
it any more it is closed. Nothing is ever changed under those who hold it.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Held(Generic[T]):
    settings: object
    part: T
    closing: AsyncExitStack = field(default_factory=AsyncExitStack)
    holders: int = 0


class Shared:
    """One per router; asked by one at a time."""

    def __init__(self) -> None:
        self._held: dict[str, list[_Held[Any]]] = {}

    def __len__(self) -> int:
        """Parts that somebody holds."""
        return sum(map(len, self._held.values()))

    def find(self, name: str, settings: object) -> _Held[Any] | None:
        return next((each for each in self._held.get(name, ()) if each.settings == settings), None)

    def add(self, name: str, held: _Held[Any]) -> None:
        self._held.setdefault(name, []).append(held)

    async def release(self, name: str, held: _Held[Any]) -> None:
        """One holder less."""
        held.holders -= 1
        if held.holders:
            return
        left = [each for each in self._held[name] if each is not held]
        if left:
            self._held[name] = left
        else:
            del self._held[name]
        await held.closing.aclose()


class Holder:
    """What somebody holds of the shared parts, until it is closed."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._stack = AsyncExitStack()

    def keep(self, name: str, settings: object, make: Callable[[], T], close: Callable[[T], object] | None = None) -> T:
        """The part of that name that was made for equal settings, or a new one."""
        held: _Held[T] | None = self._shared.find(name, settings)
        if held is None:
            part = make()
            held = _Held(settings, part)
            if close is not None:
                held.closing.callback(close, part)
            self._shared.add(name, held)
        return self._hold(name, held)

    async def open(self, name: str, settings: object, make: Callable[[], AbstractAsyncContextManager[T]]) -> T:
        """Likewise of a part that is entered and left."""
        held: _Held[T] | None = self._shared.find(name, settings)
        if held is None:
            closing = AsyncExitStack()
            held = _Held(settings, await closing.enter_async_context(make()), closing)
            self._shared.add(name, held)
        return self._hold(name, held)

    async def aclose(self) -> None:
        """Let go of everything, the last first."""
        await self._stack.aclose()

    def _hold(self, name: str, held: "_Held[T]") -> T:
        held.holders += 1
        self._stack.push_async_callback(self._shared.release, name, held)
        return held.part
