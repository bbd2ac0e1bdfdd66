"""One configuration as the router has it in force: all that is made of it, and who still needs it.

A configuration is taken over whole: a new edition is made beside the one in force, then one assignment lets new
requests into it. Requests under way end in the edition they began in. When the last of a former one has ended, what
only that one held is given back. What lives longer than any edition is in `house`, what several share in `shared`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from router.api.exchange import Receive, Scope, Send
from router.batches.callers import Callers
from router.beside import Beside
from router.config import Config
from router.fleet import Fleet
from router.policy.allotment import Allotment
from router.policy.catalog import Endpoint
from router.protocol.vocabulary import Vocabulary
from router.shared import Holder
from router.upstream.kv_events import KVEvents

Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Slot:
    """Where the directory has the endpoints of one pool.

    Its name is the pool's, unless a former edition still has a pool of that name that is another.
    """

    name: str
    pool: str  # its name
    given: tuple[Endpoint, ...] | None  # None: they are discovered
    asks_for: str | None  # the model that its engines are asked for; None: they are not ours
    vocabulary: Vocabulary | None


@dataclass(slots=True, kw_only=True, eq=False)
class Edition:
    """Made by `publish`; to be closed."""

    config: Config  # as it is in force
    slots: tuple[Slot, ...]
    fleet: Fleet
    allotments: Mapping[str, Allotment]  # by the slugs of providers that are not ours
    callers: Callers | None  # of batches; None without a database
    cache_events: KVEvents | None  # None: nobody's can be read
    inference: Mapping[str, Asgi]  # routes for POST, by their whole paths
    batch_inference: Mapping[str, Asgi]  # the same for requests of batches, by paths below an API base
    rest: Asgi  # all other routes
    running: tuple[Beside, ...]
    tasks: Holder  # of `running`
    parts: Holder  # of what requests need
    guests: int = 0  # requests under way
    is_former: bool = False
    is_empty: asyncio.Event = field(default_factory=asyncio.Event)  # a former one without guests

    def __enter__(self) -> None:
        """A request comes in, which is a guest until the end of the block."""
        self.guests += 1

    def __exit__(self, *_: object) -> None:
        self.guests -= 1
        if self.is_former and not self.guests:
            self.is_empty.set()

    def retire(self) -> None:
        """There is another in force now."""
        self.is_former = True
        if not self.guests:
            self.is_empty.set()

    async def aclose(self) -> None:
        """Give back what no other edition holds."""
        await self.tasks.aclose()
        await self.parts.aclose()
