"""The two requests that discovery needs of Kubernetes' API server: list a Service's EndpointSlices, and watch them.

A list is read to its end, page by page. What is refused is told so that it can be mended: which permission is missing,
or whose token is not taken. See docs/decisions/0014 for why this is no library.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import quote, urlencode

import aiohttp

from router.protocol.kubernetes.slices import (
    SERVICE_LABEL,
    EndpointSlice,
    Expired,
    KubernetesUnclear,
    read_page,
    reason_of,
)
from router.upstream.first_bytes import read_whole
from router.upstream.kubernetes_access import Access, Reach
from router.upstream.kubernetes_settings import KubernetesSettings

_ERROR_BYTES = 65_536  # of a refusal, which is a Status of some hundred


class KubernetesApi:
    """Of one Service. Every method raises Expired, KubernetesUnclear, aiohttp.ClientError and OSError."""

    def __init__(
        self, session: aiohttp.ClientSession, access: Access, service: str, settings: KubernetesSettings
    ) -> None:
        self._session = session
        self._access = access
        self._service = service
        self._settings = settings

    async def slices(self) -> tuple[list[EndpointSlice], str, str]:
        """All slices, their version and the namespace they are of."""
        settings = self._settings
        slices: list[EndpointSlice] = []
        following = ""
        for _ in range(settings.max_slices):  # an answer may be short, or even empty, and not be the last
            reach = self._reach()
            paging = {"limit": str(settings.page_slices), **({"continue": following} if following else {})}
            async with self._get(reach, "list", paging, settings.timeout_s) as response:
                body, is_whole = await read_whole(response.content, settings.page_bytes)
            if not is_whole:
                raise KubernetesUnclear(f"the answer is larger than {settings.page_bytes} bytes")
            page = read_page(body)
            slices += page.slices
            if len(slices) > settings.max_slices:
                break
            if not page.following:
                return slices, page.version, reach.namespace
            following = page.following
        raise KubernetesUnclear(f"the service has more than {settings.max_slices} EndpointSlices")

    @asynccontextmanager
    async def watch(self, version: str, seconds: int) -> AsyncIterator[aiohttp.StreamReader]:
        """The changes since `version`, a line each, for as long as the server is asked to tell them."""
        asked = {
            "watch": "1",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(seconds),
        }
        async with AsyncExitStack() as stack:
            # only until the answer begins: how long it may be silent is the reader's to judge
            async with asyncio.timeout(self._settings.timeout_s):
                response = await stack.enter_async_context(self._get(self._reach(), "watch", asked, None))
            yield response.content

    def _reach(self) -> Reach:
        try:
            return self._access.reach()
        except (OSError, ValueError) as error:  # an SSLError, of an authority that is none, is an OSError
            raise KubernetesUnclear(f"the API server cannot be asked: {error}") from None

    @asynccontextmanager
    async def _get(
        self, reach: Reach, verb: str, asked: dict[str, str], within_s: float | None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        query = urlencode({"labelSelector": f"{SERVICE_LABEL}={self._service}", **asked})
        path = f"/apis/discovery.k8s.io/v1/namespaces/{quote(reach.namespace, safe='')}/endpointslices"
        timeout = aiohttp.ClientTimeout(total=within_s)
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "tramontane-router"}
        if reach.token:
            headers["Authorization"] = f"Bearer {reach.token}"
        async with self._session.get(
            f"{reach.url}{path}?{query}", headers=headers, timeout=timeout, ssl=reach.tls, allow_redirects=False
        ) as response:
            if response.status != 200:
                said, _ = await read_whole(response.content, _ERROR_BYTES)
                raise _refusal(response, verb, reach, reason_of(said))
            yield response


def _refusal(response: aiohttp.ClientResponse, verb: str, reach: Reach, said: str) -> Exception:
    status = response.status
    told = f"HTTP {status}: {said}" if said else f"HTTP {status}"
    if status == 410:
        return Expired()
    if status == 401:
        hint = "refused the token" if reach.token else "wants a token, and none is configured"
        return KubernetesUnclear(f"the API server {hint} ({told})")
    if status == 403:
        return KubernetesUnclear(
            f"the API server refused to {verb} endpointslices.discovery.k8s.io in namespace {reach.namespace!r}: "
            f"give the router's ServiceAccount a Role there with the verbs list and watch on them ({told})"
        )
    if status == 404:
        return KubernetesUnclear(f"there is no API discovery.k8s.io/v1 at {reach.url} ({told})")
    after = response.headers.get("Retry-After", "")
    retry_after_s = float(after) if after.isascii() and after.isdigit() and len(after) < 6 else 0.0
    return KubernetesUnclear(f"the API server answered {told}", retry_after_s)
