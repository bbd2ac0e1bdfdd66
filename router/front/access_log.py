"""The access log names paths, and not what stands behind a question mark: some clients put their keys there."""

import logging

NAME = "uvicorn.access"
_ARGUMENTS = 5  # client, method, path with its query, version of HTTP, status: as uvicorn writes them


class WithoutQuery(logging.Filter):
    """Cuts the query off."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true: nothing is left out but what is cut off."""
        if isinstance(record.args, tuple) and len(record.args) == _ARGUMENTS:
            client, method, target, version, status = record.args
            record.args = (client, method, str(target).partition("?")[0], version, status)
        return True
