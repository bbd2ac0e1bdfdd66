"""Ending what runs beside the requests."""

import asyncio
from collections.abc import Sequence
from typing import Any


async def stop(tasks: Sequence["asyncio.Future[Any]"]) -> None:
    """Cancel them, and wait until they have given back what they hold. What they raise is nobody's any more."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
