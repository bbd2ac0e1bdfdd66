"""Documents in messages: `{"type":"file","file":{"filename":…,"file_data":…}}`, the plugin `file-parser`.

Engines read no documents. What is text becomes a text part here and now. A PDF is only named here: whoever has
processes to read it calls the parser of requests again with what came of it (as with images that have to be fetched),
and then the document's texts and pictures stand in its place, and count like any others.

What came of a PDF is given to the caller as an annotation of the answer. A conversation that brings it back, in the
assistant's message, spares the reading: it is found by the document's SHA-256. Nothing is gained by forging it, since
its texts and pictures are read like those of any message.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from router.protocol.body import Body
from router.protocol.data_url import DataUrl, parse_file
from router.protocol.errors import ApiError, invalid
from router.protocol.limits import Limits
from router.protocol.plugins.file_content import ParsedFile, Part, around, plain, text_part_of
from router.protocol.plugins.read_plugins import read_plugins
from router.protocol.wire import read

PDF = "application/pdf"
_TEXTS = frozenset({"text/plain", "text/markdown", "text/csv", "text/html", "text/xml", "application/json"})
_SHOWN = 64  # characters of a caller's word in an error


class _File(msgspec.Struct):
    filename: str | None = None
    file_data: msgspec.Raw = msgspec.Raw(b"null")
    file_id: str | None = None


class _Annotation(msgspec.Struct):
    file: ParsedFile | None = None


_file = msgspec.json.Decoder(_File)
_parsed = msgspec.json.Decoder(ParsedFile)
_annotations = msgspec.json.Decoder(list[_Annotation])
_string = msgspec.json.Decoder(str)
_object = msgspec.json.Decoder(Part)
_any = msgspec.json.Decoder()


@dataclass(frozen=True, slots=True)
class AskedFile:
    """A PDF that has to be read before its request can be."""

    key: str  # that what came of it is to be given under
    field: str  # of the request, e.g. `messages[0].content[1].file`
    name: str
    document: DataUrl | None  # None: it is behind the URL
    url: str = ""
    digest: str = ""  # SHA-256, hexadecimal; "": not known before it is fetched


class Files:
    """The documents of one request; fills while its messages are read.

    Attributes:
        count: documents so far.
        missing: documents that have to be read first.
        annotations: raw JSON, of the documents that were read for this request: what the caller does not have yet.
    """

    def __init__(self, body: Body, limits: Limits, got: Mapping[str, bytes]) -> None:
        """`got`: raw JSON of a ParsedFile by the key under which it was asked for."""
        self._body = body
        self._limits = limits
        self._got = got
        self.count = 0
        self._known: dict[str, list[Part]] = {}
        self.missing: dict[str, AskedFile] = {}
        self.annotations: list[bytes] = []

    def know(self, messages: Iterable[Part]) -> bool:
        """Take the annotations out of the assistant's messages, and what they hold into account. Were there any?

        Those that make no sense are forgotten: they cost their sender a second reading, and nothing else.
        """
        found = False
        for message in messages:
            raw = message.pop("annotations", None)
            if raw is None:
                continue
            found = True
            try:
                annotations: list[_Annotation] = read(_annotations, raw)
            except ValueError:
                continue
            for annotation in annotations:
                file = annotation.file
                if file is not None and file.content and all(map(self._is_whole, file.content)):
                    self._known[file.hash] = file.content
        return found

    def read(self, part: Part, path: str) -> list[Part]:
        """The parts in place of one at `path`; none as long as the document is missing.

        Raises:
            ApiError: 400, naming the field.
        """
        path += ".file"
        try:
            file: _File = read(_file, part.get("file", msgspec.Raw(b"null")))
        except ValueError:
            raise invalid(path, "must be an object with file_data") from None
        self.count += 1
        self._check_plugin(path)
        if self.count > self._limits.files:
            raise invalid("messages", f"at most {self._limits.files} files in a request", limit="files")
        if file.file_id is not None:
            raise invalid(f"{path}.file_id", "files are not kept here: send file_data")
        name = plain(file.filename or "document")
        url = self._url(bytes(file.file_data), path)
        if isinstance(url, str):
            return self._parsed(AskedFile(f"file:{url}", path, name, None, url=url))
        try:
            document = parse_file(url)
            if document.size > self._limits.file_bytes:
                raise _too_large(path, document.size, self._limits)
            if document.media_type in _TEXTS:
                return around(name, [text_part_of(self._decoded(document, path))])
            if document.media_type != PDF:
                known = ", ".join(sorted({PDF, *_TEXTS}))
                problem = f"files of type {document.media_type[:_SHOWN]!r} are not read; those that are: {known}"
                raise invalid(f"{path}.file_data", problem)
            digest = document.sha256().hex()
        except ValueError as error:
            raise invalid(f"{path}.file_data", str(error)) from None
        known_content = self._known.get(digest)
        if known_content is not None:
            return [*map(dict, known_content)]
        return self._parsed(AskedFile(f"file:{digest}", path, name, document, digest=digest))

    def _parsed(self, asked: AskedFile) -> list[Part]:
        raw = self._got.get(asked.key)
        if raw is None:
            self.missing.setdefault(asked.key, asked)
            return []
        parsed: ParsedFile = read(_parsed, raw)
        content = self._known.get(parsed.hash)
        if content is not None:
            return [*map(dict, content)]  # of a document behind a URL: that it was known shows only now
        annotation = b'{"type":"file","file":%b}' % raw
        if annotation not in self.annotations:
            self.annotations.append(annotation)
        return [self._cut_out(part) for part in parsed.content]

    def _cut_out(self, part: Part) -> Part:
        """A picture goes out of the JSON, as pictures of requests do."""
        if "image_url" not in part:
            return part
        image: Part = read(_object, part["image_url"])
        placeholder = self._body.add(bytes(image["url"]))
        return {**part, "image_url": msgspec.Raw(msgspec.json.encode({**image, "url": msgspec.Raw(placeholder)}))}

    def _is_whole(self, part: Part) -> bool:
        """Is it a text, or a picture that came with the request?"""
        try:
            if read(_any, part["type"]) == "text":
                return isinstance(read(_any, part["text"]), str)
            image: Part = read(_object, part["image_url"])
            return read(_any, part["type"]) == "image_url" and self._body.image(bytes(image["url"])) is not None
        except (KeyError, ValueError):
            return False

    def _check_plugin(self, path: str) -> None:
        plugins = self._body.fields.get("plugins")
        if self.count == 1 and plugins is not None and read_plugins(read(_any, plugins)).file_parser is False:
            raise invalid(path, "the plugin file-parser, which reads files, is switched off by this request")

    def _url(self, raw: bytes, path: str) -> memoryview | str:
        cut = self._body.image(raw)
        if cut is not None:
            return cut[1:-1]
        try:
            url: str = read(_string, raw)
        except ValueError:
            raise invalid(f"{path}.file_data", "must be a data URL, or one of http or https") from None
        scheme = url.partition(":")[0].lower()
        if scheme in ("http", "https"):
            return url
        if scheme != "data":
            raise invalid(f"{path}.file_data", "must be a data URL (data:application/pdf;base64,…)")
        return memoryview(url.encode())

    def _decoded(self, document: DataUrl, path: str) -> str:
        try:
            text = document.decoded().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise invalid(f"{path}.file_data", "the text is not in UTF-8") from None
        if len(text) > self._limits.file_text_chars:
            problem = f"at most {self._limits.file_text_chars} characters of text, this has {len(text)}"
            raise invalid(path, problem, limit="file_text_chars")
        return text


def _too_large(path: str, size: int, limits: Limits) -> ApiError:
    return invalid(path, f"at most {limits.file_bytes} bytes, this has {size}", limit="file_bytes")
