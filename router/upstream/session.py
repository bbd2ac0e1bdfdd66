"""The aiohttp session of what runs beside the requests (discovery, probes), set up as the router needs it.

A router is not a browser: no cookies, no proxies from the environment, no decompression, no exceptions for statuses,
no limit on connections, and no clock but the one that goes with each request.
"""

import aiohttp

Session = aiohttp.ClientSession


def open_session(*, keepalive_s: float) -> aiohttp.ClientSession:
    """A session; call inside a running event loop and close it.

    `keepalive_s`: how long a connection may wait in the pool for its next request.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=keepalive_s),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        auto_decompress=False,
        raise_for_status=False,
        trust_env=False,
        skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent"),
    )
