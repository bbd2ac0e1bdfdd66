"""Asks a running router over HTTP, with the standard library alone: the command line must start at once.

Foreign errors end here: whatever goes wrong on the way is a Problem with a way out.
"""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from deploy.answer import Answer
from deploy.problem import Problem

TIMEOUT_S = 120.0  # of silence; the router's own limits are shorter and come with a reason


class RouterClient:
    """One router and one key."""

    def __init__(
        self,
        base_url: str,
        api_key: str | None,
        *,
        clock: Callable[[], float] = time.perf_counter,
        key_from: str = "--api-key or TRAMONTANE_API_KEY",
    ) -> None:
        """Take a base URL with or without its API path (`/api/v1`, `/v1`). `key_from`: where another key may be given.

        Raises:
            Problem: it is no http(s) URL.
        """
        url = urlsplit(base_url)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise Problem(f"not a base URL: {base_url!r}; it looks like http://127.0.0.1:8080/api/v1")
        self.root = base_url.rstrip("/").removesuffix("/v1").removesuffix("/api")
        self._api_key = api_key
        self._clock = clock
        self._key_from = key_from
        is_local = url.hostname in ("localhost", "127.0.0.1", "::1")
        proxies = urllib.request.ProxyHandler({} if is_local else None)  # None: as the environment says
        self._opener = urllib.request.build_opener(proxies, _StayHere())

    def get(self, path: str) -> Any:
        """The JSON at a path below the root, e.g. `/status`.

        Raises:
            Problem: no answer, an error status, or no JSON.
        """
        return self.send("GET", path)

    def send(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """The JSON that answers a request, whose body is JSON too.

        Raises:
            Problem: as `get`.
        """
        request = urllib.request.Request(self.root + path, method=method)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        with self._open(request) as response:
            try:
                return json.load(response)
            except ValueError:
                raise Problem(f"{self.root}{path} did not answer in JSON; is this a Tramontane router?") from None

    def models(self) -> list[str]:
        """The slugs the router serves, in its order.

        Raises:
            Problem: as `get`.
        """
        return [model["id"] for model in self.get("/api/v1/models")["data"]]

    @contextmanager
    def ask(self, body: Mapping[str, object]) -> Iterator[Answer]:
        """Send a chat completion, streamed; leaving the block early cancels it.

        Raises:
            Problem: no answer, or an error status; while iterating see `Answer`.
        """
        request = urllib.request.Request(
            self.root + "/api/v1/chat/completions",
            data=json.dumps({**body, "stream": True, "stream_options": {"include_usage": True}}).encode(),
            headers={"Content-Type": "application/json"},
        )
        asked_at = self._clock()
        with self._open(request) as response:
            yield Answer(_lines(response), asked_at, self._clock)

    def _open(self, request: urllib.request.Request) -> HTTPResponse:
        if self._api_key:
            request.add_header("Authorization", f"Bearer {self._api_key}")
        try:
            response: HTTPResponse = self._opener.open(request, timeout=TIMEOUT_S)
            return response
        except urllib.error.HTTPError as error:
            raise Problem(_explain(error.code, error.read(), self._key_from)) from None
        except (OSError, HTTPException) as error:  # URLError is an OSError
            reason = getattr(error, "reason", None) or error
            raise Problem(
                f"cannot reach {self.root}: {reason}; is the stack up? start it with `tramontane up`, "
                "or name another router with --base-url or TRAMONTANE_BASE_URL"
            ) from None


def _lines(response: HTTPResponse) -> Iterator[bytes]:
    try:
        yield from iter(response.readline, b"")
    except (OSError, HTTPException) as error:
        raise Problem(f"the answer broke off: {error!r}; see the router's log") from None


class _StayHere(urllib.request.HTTPRedirectHandler):
    """A key is for the router that was named, and not for wherever that sends us."""

    def redirect_request(self, *_: object) -> None:
        return None


def _explain(status: int, body: bytes, key_from: str) -> str:
    try:
        message = json.loads(body)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        message = body[:200].decode(errors="replace") or "no reason given"
    if status in (401, 403):
        return f"the router refuses the key: {message}; give one with {key_from}"
    return f"the router answered {status}: {message}"
