"""An edition in the making: what it is made of, and what it holds so far (see publish)."""

from collections.abc import Callable
from functools import partial

from router.beside import Beside, Watcher, beside
from router.house import House
from router.reload_file import Reading
from router.reload_sections import in_force
from router.shared import Holder


class Making:
    """`config`: as it will be in force. `parts`: what requests need. `tasks`: what runs beside them."""

    def __init__(self, house: House, reading: Reading) -> None:
        self.house = house
        self.reading = reading
        self.config = in_force(house.started.config, reading.config)
        self.pools = self.config.pools()
        self.parts = Holder(house.shared)
        self.tasks = Holder(house.shared)
        self.running: list[Beside] = []

    async def beside(self, name: str, settings: object, make: Callable[[], Watcher]) -> Beside:
        """To be run while the edition is in force; one that runs already for the former one goes on."""
        run = await self.tasks.open(f"task: {name}", settings, partial(beside, make))
        self.running.append(run)
        return run

    async def give_up(self) -> None:
        """It will not be."""
        await self.tasks.aclose()
        await self.parts.aclose()
