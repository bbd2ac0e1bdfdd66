"""What keeps a pool's endpoints from being found: logged when it begins and when it is over, not at every look."""

import logging


class Trouble:
    """Of one pool's discovery."""

    def __init__(self, logger: logging.Logger, pool_name: str) -> None:
        self._logger = logger
        self._pool_name = pool_name
        self._now = ""

    def __bool__(self) -> bool:
        """Is there one, as far as it was noted?"""
        return bool(self._now)

    def note(self, trouble: str) -> None:
        """What it is now; "": nothing."""
        if trouble == self._now:
            return
        if trouble:
            self._logger.warning("pool %s: %s", self._pool_name, trouble)
        else:
            self._logger.info("pool %s: discovery works again", self._pool_name)
        self._now = trouble
