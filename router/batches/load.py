"""The lines of an input file become the requests of a batch; what is wrong with them is told by the line's number."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from router.batches.settings import BatchSettings
from router.protocol.batch_object import Problem
from router.protocol.batch_submit import BatchRequest, Common, read_line
from router.protocol.errors import ApiError
from router.protocol.lines import Lines, LineTooLong
from router.store.batch_records import NewRequest

PORTION, PORTION_BYTES = 500, 1_048_576  # requests, and bytes of bodies, that are written at a time

Add = Callable[[list[NewRequest]], Awaitable[None]]


@dataclass(slots=True)
class Loaded:
    """What a batch has become."""

    total: int = 0  # requests
    model: str = ""  # of the first
    problems: list[Problem] = field(default_factory=list)


class Loading:
    """Numbers requests, and writes them in portions. Raises ApiError 400 for one that the batch cannot have."""

    def __init__(self, settings: BatchSettings, add: Add) -> None:
        self._settings = settings
        self._add = add
        self._seen: dict[str, int] = {}  # custom_id and its place
        self._portion: list[NewRequest] = []
        self._portion_bytes = 0
        self._bytes = 0
        self.total = 0
        self.model = ""

    async def take(self, request: BatchRequest, field: str) -> None:
        """One more; `field`: its path, for errors."""
        settings, size = self._settings, len(request.body)
        first = self._seen.setdefault(request.custom_id, self.total)
        if first != self.total:
            problem = f"{field}.custom_id: is that of requests[{first}] too, and must be unique in the batch"
            raise ApiError("invalid_request", problem, field=f"{field}.custom_id")
        if self.total >= settings.requests:
            raise _too_large(f"a batch has at most {settings.requests} requests (batches.requests)", field)
        if size > settings.request_bytes:
            raise _too_large(f"a request has at most {settings.request_bytes} bytes (batches.request_bytes)", field)
        self._bytes += size
        if self._bytes > settings.bytes:
            raise _too_large(f"a batch has at most {settings.bytes} bytes of bodies (batches.bytes)", field)
        self.model = self.model or request.model
        self._portion.append(NewRequest(self.total, request.custom_id, request.body))
        self.total += 1
        self._portion_bytes += size
        if len(self._portion) >= PORTION or self._portion_bytes >= PORTION_BYTES:
            await self.flush()

    async def flush(self) -> None:
        """Write what has not been written."""
        portion, self._portion, self._portion_bytes = self._portion, [], 0
        if portion:
            await self._add(portion)


async def load(pieces: AsyncIterator[bytes], common: Common, settings: BatchSettings, add: Add) -> Loaded:
    """Read an input file. What it says of problems is empty if the batch can run."""
    loading, lines, loaded = Loading(settings, add), Lines(settings.request_bytes + 4_096), Loaded()
    number = 0

    async def read(line: bytes) -> bool:
        """Whether to go on."""
        if not line.strip():
            return True
        try:
            await loading.take(read_line(line, common, number), f"line {number}")
        except ApiError as error:
            loaded.problems.append(Problem(error.message, line=number, param=error.field))
            return error.limit is None and len(loaded.problems) < settings.problems
        return True

    try:
        async for piece in pieces:
            for line in lines.feed(piece):
                number += 1
                if not await read(line):
                    return loaded
        for line in lines.end():
            number += 1
            await read(line)
    except LineTooLong:
        message = f"line {number + 1}: is longer than {settings.request_bytes} bytes (batches.request_bytes)"
        loaded.problems.append(Problem(message, line=number + 1))
        return loaded
    await loading.flush()
    loaded.total, loaded.model = loading.total, loading.model
    if not loaded.total and not loaded.problems:
        loaded.problems.append(Problem("input_file_id: the file has no requests", param="input_file_id"))
    return loaded


def _too_large(problem: str, field: str) -> ApiError:
    return ApiError("invalid_request", f"{field}: {problem}", field=field, limit="batch_size")
