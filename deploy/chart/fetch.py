"""One file from the network to a folder: goes on where it was broken off, believes no content without its sum, and
appears under its name only when it is whole.

What is not whole lies beside it, under a name with its sum in it, so that another version never goes on from this one's
beginning.
"""

import errno
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol
from urllib.parse import urlsplit

from deploy.chart.hub import File
from deploy.problem import Problem

CHUNK = 4 * 1024 * 1024  # bytes; large enough for a network file system
PARTS = ".tramontane-parts"
CREDENTIALS = "authorization"


class Broken(Exception):
    """It did not work this time, and may the next."""


class Answer(Protocol):
    """What opening an address gives."""

    status: int
    headers: Mapping[str, str]

    def read(self, amount: int, /) -> bytes: ...

    def close(self) -> None: ...


Open = Callable[[str, Mapping[str, str]], Answer]
Tell = Callable[[int], None]  # bytes of the file that are there


class KeepSecrets(urllib.request.HTTPRedirectHandler):
    """The hub sends large files' readers to other hosts, which must not see its token. (urllib would show it.)"""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        made = super().redirect_request(req, fp, code, msg, headers, newurl)
        if made is not None and urlsplit(newurl)[:2] != urlsplit(req.full_url)[:2]:
            for name in [name for name in made.headers if name.lower() == CREDENTIALS]:
                del made.headers[name]
        return made


@dataclass(frozen=True, slots=True)
class Network:
    """Opens addresses; proxies are those of the environment."""

    token: str | None
    timeout_s: float

    def __call__(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Raises Broken, or Problem for what no other try changes."""
        given = {"User-Agent": "tramontane", "Accept-Encoding": "identity", **headers}
        if self.token:
            given["Authorization"] = f"Bearer {self.token}"
        opener = urllib.request.build_opener(KeepSecrets())
        try:
            answer: Answer = opener.open(urllib.request.Request(url, headers=given), timeout=self.timeout_s)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 416:
                raise Broken("there is more than the file has; from the beginning") from None
            raise _refused(url, error.code, has_token=bool(self.token)) from None
        except (OSError, http.client.HTTPException) as error:
            raise Broken(f"{url}: {error}") from None
        return answer


def _refused(url: str, status: int, *, has_token: bool) -> Exception:
    if status in (408, 425, 429) or status >= 500:
        return Broken(f"{url} answers {status}")
    if status in (401, 403):
        advice = (
            "the token does not open it: accept the model's licence on the hub with the account that made the token"
            if has_token
            else "it wants a token: name a secret with the key `token` in weights.download.tokenSecret"
        )
        return Problem(f"{url} answers {status}: {advice}")
    if status == 404:
        return Problem(f"{url} answers 404: there is no such repository, revision or file, or it wants a token")
    return Problem(f"{url} answers {status}")


def is_there(file: File, target: Path) -> bool:
    """Whether the file lies there with its size and sum, which takes as long as reading it."""
    if not target.is_file() or target.stat().st_size != file.size:
        return False
    return not file.sum or _sum(file, target) == file.sum


def _sum(file: File, path: Path) -> str:
    digest = file.digest()
    with path.open("rb") as content:
        for chunk in _chunks(content.read):
            digest.update(chunk)
    return digest.hexdigest()


def fetch(file: File, url: str, folder: Path, open_url: Open, tell: Tell) -> None:
    """Bring a file to its folder.

    Raises:
        Broken: what has come is kept, for the next try.
        Problem: no other try helps, such as a full disk.
    """
    target, part = folder / file.name, part_of(file, folder)
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        _fill(file, url, part, open_url, tell)
        if file.sum and _sum(file, part) != file.sum:
            part.unlink()
            raise Broken(f"{file.name}: what came has another sum than the hub says; from the beginning")
        part.replace(target)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Problem(
                f"{file.name}: no room left in {folder}; raise weights.size (and see whether the volume can grow)"
            ) from None
        raise Problem(f"{file.name}: cannot be written: {error}") from None


def part_of(file: File, folder: Path) -> Path:
    """Where it lies until it is whole."""
    return folder / PARTS / f"{file.name.replace('/', '__')}.{file.sum[:16] or file.size}"


def _fill(file: File, url: str, part: Path, open_url: Open, tell: Tell) -> None:
    there = part.stat().st_size if part.exists() else 0
    if there > file.size:
        part.unlink()
        there = 0
    if there == file.size and part.exists():
        return
    answer = open_url(url, {"Range": f"bytes={there}-"} if there else {})
    try:
        if there and answer.status == 206:
            started = answer.headers.get("Content-Range") or ""
            if not started.startswith(f"bytes {there}-"):
                raise Broken(f"{file.name}: asked from byte {there}, got {started!r}")
        else:
            there = 0  # the whole again
        with part.open("ab" if there else "wb") as content:
            for chunk in _chunks(lambda amount: _read(answer, amount, file.name)):
                there += len(chunk)
                if there > file.size:
                    break
                content.write(chunk)
                tell(there)
            content.flush()
            os.fsync(content.fileno())
    finally:
        answer.close()
    if there > file.size:
        part.unlink()
        raise Broken(f"{file.name}: more came than the {file.size} bytes that the hub says; from the beginning")
    if there < file.size:
        raise Broken(f"{file.name}: broken off after {there} of {file.size} bytes")


def _read(answer: Answer, amount: int, name: str) -> bytes:
    try:
        return answer.read(amount)
    except (http.client.HTTPException, OSError) as error:
        raise Broken(f"{name}: {error!r}") from None


def _chunks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while chunk := read(CHUNK):
        yield chunk
