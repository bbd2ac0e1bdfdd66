"""Asks an engine where it publishes its KV-cache events: `GET /kv_event_sources`, vLLM's own route and form."""

from urllib.parse import urlsplit

import aiohttp
import msgspec

from router.policy.catalog import Endpoint
from router.upstream.first_bytes import read_whole
from router.upstream.kv_event_feed import Source

_PATH = "/kv_event_sources"
_MAX_BYTES = 65_536
_NOT_THERE = (404, 405, 501)
_LAST_PORT = 65_535
_ANY_HOST = frozenset({"*", "0.0.0.0", "::"})


class _Entry(msgspec.Struct):
    endpoint: str
    replay_endpoint: str | None = None
    topic: str | None = ""


_ENTRIES = msgspec.json.Decoder(list[_Entry])


async def ask_source(session: aiohttp.ClientSession, endpoint: Endpoint, timeout_s: float) -> Source | None:
    """Where the engine publishes; None if it does not.

    Raises:
        ValueError: the answer makes no sense, or is one that cannot be followed: several engines behind one address,
            of which nobody knows which will get a request, or no replay.
        aiohttp.ClientError, OSError: no answer.
    """
    async with session.get(
        endpoint.url + _PATH,
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        timeout=aiohttp.ClientTimeout(total=timeout_s),
        allow_redirects=False,
    ) as response:
        if response.status in _NOT_THERE:
            return None
        if response.status != 200:
            raise ValueError(f"HTTP {response.status}")
        body, is_whole = await read_whole(response.content, _MAX_BYTES)
    try:
        entries = _ENTRIES.decode(body if is_whole else b"")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"no list of sources: {error}") from None
    if not entries:
        return None
    if len(entries) > 1:
        raise ValueError(f"{len(entries)} engines behind one address")
    (entry,) = entries
    if not entry.replay_endpoint:
        raise ValueError("the engine has no replay_endpoint, so what it published before is not known")
    host = urlsplit(endpoint.url).hostname or ""
    return Source(_reachable(entry.endpoint, host), _reachable(entry.replay_endpoint, host), entry.topic or "")


def _reachable(address: str, host: str) -> str:
    """The address with `host` where the engine says that it listens everywhere. Raises ValueError if it is not TCP."""
    scheme, _, rest = address.partition("://")
    listens_at, _, port = rest.rpartition(":")
    if scheme != "tcp" or not listens_at or not port.isdecimal() or int(port) > _LAST_PORT:
        raise ValueError(f"{address!r} is no address to connect to")
    if listens_at.strip("[]") in _ANY_HOST:
        listens_at = f"[{host}]" if ":" in host else host
    return f"tcp://{listens_at}:{port}"
