"""What requests are short of: pictures, and what is in documents."""

import asyncio
import base64
import hashlib
import json
from typing import Any

import pytest

from router.plugins.file_cache import FileCache
from router.plugins.file_parser import FileParser, FileResult
from router.plugins.file_settings import FileSettings
from router.protocol.body import split
from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.media import Fetched, Unfetched
from router.protocol.read_messages import read_messages
from tests.router.plugins import documents
from tests.router.plugins.documents import DRAWING, page, pdf

FIELD = "messages[0].content[0].file"
URL = "https://example.com/a.pdf"
PICTURE_URL = "https://example.com/a.png"
PICTURE = b'"data:image/png;base64,AAAA"'
HELLO = pdf(page("Hello"), page("there"), DRAWING, page("world"))


class Seen:
    """A listener, a clock, and what is fetched."""

    def __init__(self, document: bytes = HELLO) -> None:
        self.results: list[tuple[FileResult, int]] = []
        self.fetched: list[tuple[str, str, int, str]] = []
        self.document = document

    def on_file(self, result: FileResult, pages: int, seconds: float) -> None:
        self.results.append((result, pages))

    async def fetch_file(self, url: str, field: str, room: int, salt: str) -> bytes:
        self.fetched.append((url, field, room, salt))
        if not self.document:
            raise ApiError("not_found", f"{field}: there is none", field=field)
        return self.document

    async def fetch_images(self, unfetched: Unfetched) -> Fetched:
        return dict.fromkeys(unfetched.urls, PICTURE)

    def parser(self, settings: FileSettings = FileSettings(), text_chars: int = 1_000) -> FileParser:  # noqa: B008
        return FileParser(
            settings,
            text_chars=text_chars,
            fetch_images=self.fetch_images,
            fetch_file=self.fetch_file,
            clock=lambda: 0.0,
            listener=self,
        )


def file(data: bytes | str, name: str = "a.pdf") -> dict[str, Any]:
    url = data if isinstance(data, str) else "data:application/pdf;base64," + base64.b64encode(data).decode()
    return {"type": "file", "file": {"filename": name, "file_data": url}}


def asking(*parts: dict[str, Any], salt: str = "", limits: Limits = Limits()) -> Unfetched:  # noqa: B008  # frozen
    raw = json.dumps({"messages": [{"role": "user", "content": parts}]}).encode()
    body = split(raw, limits)
    with pytest.raises(Unfetched) as caught:
        read_messages(body.fields["messages"], body, limits, salt).media.check_fetched()
    return caught.value


def contents(fetched: Fetched) -> list[Any]:
    return [json.loads(each)["content"] for key, each in fetched.items() if key.startswith("file:")]


def refused(parser: FileParser, unfetched: Unfetched) -> ApiError:
    with pytest.raises(ApiError) as caught:
        asyncio.run(parser.fetch(unfetched))
    return caught.value


def test_a_document_is_its_texts_and_pictures_in_order() -> None:
    seen = Seen()
    (content,) = contents(asyncio.run(seen.parser().fetch(asking(file(HELLO)))))
    texts = [part.get("text") for part in content]
    assert ['<file name="a.pdf">', "Hello\n\nthere", None, "world", "</file>"] == texts
    assert content[2]["image_url"]["url"].startswith("data:image/jpeg;base64,/9j/")
    assert [(FileResult.READ, 4)] == seen.results


def test_a_page_that_is_not_shown_is_told_of() -> None:
    parser = Seen().parser(FileSettings(page_images=0))
    (content,) = contents(asyncio.run(parser.fetch(asking(file(pdf(page("a"), DRAWING))))))
    assert "a\n\n[page 2: no text, and not shown as a picture]" == content[1]["text"]


def test_what_was_read_once_is_known_to_its_tenant_by_whatever_name() -> None:
    async def main() -> None:
        seen = Seen()
        parser = seen.parser()
        for salt, name in (("a", "x.pdf"), ("a", "y.pdf"), ("b", "x.pdf")):
            (content,) = contents(await parser.fetch(asking(file(HELLO, name), salt=salt)))
            assert f'<file name="{name}">' == content[0]["text"]
        assert [FileResult.READ, FileResult.KNOWN, FileResult.READ] == [result for result, _ in seen.results]

    asyncio.run(main())


def test_pictures_and_documents_behind_urls_come_together() -> None:
    seen = Seen()
    picture = {"type": "image_url", "image_url": {"url": PICTURE_URL}}
    unfetched = asking(picture, file(URL), file(HELLO), salt="s")
    fetched = asyncio.run(seen.parser().fetch(unfetched))
    digest = hashlib.sha256(HELLO).hexdigest()
    assert [PICTURE_URL, f"file:{URL}", f"file:{digest}"] == list(fetched)
    assert digest == json.loads(fetched[f"file:{URL}"])["hash"]
    assert [(URL, "messages[0].content[1].file", unfetched.room - len(PICTURE) * 3 // 4, "s")] == seen.fetched
    assert [FileResult.READ, FileResult.KNOWN] == [result for result, _ in seen.results]


def test_a_document_that_cannot_be_fetched_or_read_is_refused_with_its_field() -> None:
    seen = Seen(b"")
    error = refused(seen.parser(), asking(file(URL)))
    assert (404, FIELD) == (error.status, error.field)
    for document, problem in (
        (documents.encrypted(), "the document is encrypted with a password"),
        (b"%PDF-", "the document is no PDF, or broken"),
        (pdf(page("a" * 2_000)), "at most 1000 characters of text, this has more"),
    ):
        error = refused(seen.parser(), asking(file(document)))
        assert (400, FIELD, f"{FIELD}: {problem}") == (error.status, error.field, error.message)
    assert [FileResult.NOT_FETCHED, *[FileResult.REFUSED] * 3] == [result for result, _ in seen.results]


def test_what_makes_the_request_too_large_is_refused() -> None:
    raw = len(json.dumps({"messages": [{"role": "user", "content": [file(HELLO)]}]}).encode())
    error = refused(Seen().parser(), asking(file(HELLO), limits=Limits(body_bytes=raw + 1_000)))
    assert (400, FIELD, "body_bytes") == (error.status, error.field, error.limit)


def test_so_many_documents_are_read_at_a_time_and_who_waits_too_long_is_told_to_come_back() -> None:
    async def main() -> None:
        seen = Seen()
        parser = seen.parser(FileSettings(processes=1, wait_s=0.05))
        slow = asyncio.ensure_future(parser.fetch(asking(file(documents.slow()))))
        await asyncio.sleep(0)
        with pytest.raises(ApiError) as caught:
            await parser.fetch(asking(file(HELLO)))
        assert (503, "processes", FIELD) == (caught.value.status, caught.value.limit, caught.value.field)
        assert caught.value.retry_after_s
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)
        assert contents(await parser.fetch(asking(file(HELLO))))  # the place was given back
        assert [FileResult.BUSY, FileResult.ABANDONED, FileResult.READ] == [result for result, _ in seen.results]

    asyncio.run(main())


def test_the_cache_is_bounded_and_drops_what_was_used_longest_ago() -> None:
    cache = FileCache(1_000)
    for name in "abc":
        cache.put(name, (b"x" * 44,))
    assert cache.get("a") == (b"x" * 44,)
    cache.put("d", (b"x" * 44,))
    assert [True, False, True, True] == [cache.get(name) is not None for name in "abcd"]
    assert (900, 3) == (cache.bytes, len(cache))
    cache.put("a", (b"other",))
    cache.put("e", (b"x" * 1_000,))
    assert cache.get("a") == (b"x" * 44,)
    assert (None, 900) == (cache.get("e"), cache.bytes)
