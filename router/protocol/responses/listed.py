"""Items that were answered, as `GET /responses/{id}/input_items` lists them: as they were sent, but complete.

Each has an id and a type, and what a message says is an array of parts, whichever short form the caller used.
"""

import msgspec

_items = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])


def listed_items(given: bytes, response: str) -> list[tuple[str, bytes]]:
    """Ids and JSON of the items, the oldest first.

    Args:
        given: a JSON array of items that a request was made of.
        response: the id of the answer, of which those are made that items lack.
    """
    name = response.removeprefix("resp_")
    return [_listed(item, f"item_{name}_{index}") for index, item in enumerate(_items.decode(given))]


def _listed(item: dict[str, msgspec.Raw], usual: str) -> tuple[str, bytes]:
    told = {"id": msgspec.Raw(msgspec.json.encode(usual)), "type": msgspec.Raw(b'"message"'), **item}
    if bytes(told["id"])[:1] != b'"':
        told["id"] = msgspec.Raw(msgspec.json.encode(usual))
    if bytes(told["type"]) == b'"message"':
        told.setdefault("status", msgspec.Raw(b'"completed"'))
        said = bytes(told.get("content", b""))
        if said[:1] == b'"':
            by_assistant = bytes(told.get("role", b"")) == b'"assistant"'
            part = (
                b'{"type":"output_text","annotations":[],"text":%b}'
                if by_assistant
                else b'{"type":"input_text","text":%b}'
            )
            told["content"] = msgspec.Raw(b"[" + part % said + b"]")
    return msgspec.json.decode(told["id"], type=str), msgspec.json.encode(told)
