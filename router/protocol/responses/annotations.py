"""Annotations of a chat's message as those of the Responses API.

A citation of a page stands one level higher. What the file parser made of a file is a citation of that file, named by
its hash, and carries the chat's own annotation along: sent back with the text, it saves reading the file again.
"""

from collections.abc import Mapping

import msgspec

from router.protocol.wire import read

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_EMPTY = msgspec.Raw(b'""')
_ZERO = msgspec.Raw(b"0")


def annotation(given: Mapping[str, msgspec.Raw]) -> bytes | None:
    """The JSON of one annotation; None: of a kind that this API does not have.

    Raises:
        ValueError: it is none of a chat.
    """
    if "file" in given:
        file: dict[str, msgspec.Raw] = read(_object, given["file"])
        return msgspec.json.encode(
            {
                "type": "file_citation",
                "file_id": file.get("hash", _EMPTY),
                "filename": file.get("name", _EMPTY),
                "index": 0,
                "file": given["file"],
            }
        )
    if "url_citation" in given:
        page: dict[str, msgspec.Raw] = read(_object, given["url_citation"])
        return msgspec.json.encode(
            {
                "type": "url_citation",
                "url": page.get("url", _EMPTY),
                "title": page.get("title", _EMPTY),
                "start_index": page.get("start_index", _ZERO),
                "end_index": page.get("end_index", _ZERO),
                **({"content": page["content"]} if "content" in page else {}),
            }
        )
    return None
