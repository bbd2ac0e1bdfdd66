"""`system` and `messages` to the chat's messages.

- Results of tools become tool messages, which stand before whatever else the turn says (see results).
- Thinking is dropped, as the chat drops it: templates here refuse it, and its signature is another service's.
- Turns of one role in a row, and an assistant's at the end to be gone on with, are left to the chat's reader.
- What other services do on their side (searches, code, files) has no form here and is refused by its name.
"""

from collections.abc import Sequence

import msgspec

from router.protocol.errors import invalid
from router.protocol.messages_api.parts import Part, array, joined, read_parts, text_part
from router.protocol.messages_api.paths import Origin
from router.protocol.messages_api.results import tool_message
from router.protocol.messages_api.source import Pieces, Source
from router.protocol.messages_api.values import (
    SHOWN,
    Object,
    a_string,
    an_object,
    given,
    is_string,
    objects,
    text,
    unsupported,
)

_ROLES = ("user", "assistant", "system")
_DROPPED = frozenset({"thinking", "redacted_thinking"})
_EMPTY = msgspec.Raw(b"{}")


class Conversation:
    """The chat's messages as they are written, and where each comes from."""

    def __init__(self, source: Source) -> None:
        """Reads them. Raises ApiError 400, naming the field."""
        self._source = source
        self._written: list[Pieces] = []
        self.origins: list[Origin] = []
        if (system := given(source.fields, "system")) is not None:
            self._simple("system", system, "system", "system")
        raw = given(source.fields, "messages")
        if raw is None:
            raise invalid("messages", "is required")
        turns = objects(raw, "messages")
        if not turns:
            raise invalid("messages", "must hold at least one message")
        for index, turn in enumerate(turns):
            self._turn(turn, f"messages[{index}]")

    def pieces(self) -> Pieces:
        """The array."""
        pieces: Pieces = [b"["]
        for message in self._written:
            pieces += message
            pieces.append(b",")
        pieces[-1] = b"]"
        return pieces

    def _turn(self, turn: Object, path: str) -> None:
        role = text(turn, "role", path)
        if role not in _ROLES:
            raise invalid(f"{path}.role", f"must be one of {', '.join(_ROLES)}, got {role[:SHOWN]!r}")
        content = given(turn, "content")
        where = f"{path}.content"
        if content is None:
            raise invalid(where, "is required")
        if role == "system" or is_string(content):
            self._simple(role, content, path, where)
        elif role == "user":
            self._user(objects(content, where), path)
        else:
            self._assistant(objects(content, where), path)

    def _simple(self, role: str, content: msgspec.Raw, path: str, where: str) -> None:
        """A string, or texts only."""
        if is_string(content):
            self._add(role, self._source.pieces(content), Origin(path))
            return
        parts = []
        for index, block in enumerate(objects(content, where)):
            kind = text(block, "type", f"{where}[{index}]")
            if kind != "text":
                raise unsupported(f"{where}[{index}]", kind, f"{role} blocks")
            parts.append(text_part(self._source, block, f"{where}[{index}]"))
        if parts or where != "system":  # no system prompt at all is a usual way to say so
            self._parts(role, parts, path)

    def _user(self, blocks: Sequence[Object], path: str) -> None:
        parts: list[Part] = []
        results = 0
        for index, block in enumerate(blocks):
            where = f"{path}.content[{index}]"
            kind = text(block, "type", where)
            if kind == "tool_result":
                message, origin, others = tool_message(self._source, block, where)
                self._message(message, origin)
                parts += others
                results += 1
            else:
                parts += read_parts(self._source, block, where, "user blocks")
        if parts or not results:
            self._parts("user", parts, path)

    def _assistant(self, blocks: Sequence[Object], path: str) -> None:
        parts: list[Part] = []
        calls: list[Pieces] = []
        paths: list[str] = []
        for index, block in enumerate(blocks):
            where = f"{path}.content[{index}]"
            kind = text(block, "type", where)
            if kind == "text":
                parts.append(text_part(self._source, block, where))
            elif kind == "tool_use":
                calls.append(self._call(block, where))
                paths.append(where)
            elif kind not in _DROPPED:
                raise unsupported(where, kind, "assistant blocks")
        pieces: Pieces = [b'{"role":"assistant"']
        if parts:
            pieces += [b',"content":', *array(parts)]
        if calls:
            pieces += [b',"tool_calls":[', *joined(calls), b"]"]
        origin = Origin(path, tuple(part.origin for part in parts), tuple(paths))
        self._message([*pieces, b"}"], origin)

    def _call(self, block: Object, path: str) -> Pieces:
        call_id = a_string(block.get("id"), f"{path}.id")
        name = a_string(block.get("name"), f"{path}.name")
        given_input = block.get("input", _EMPTY)
        an_object(given_input, f"{path}.input")
        arguments = msgspec.json.encode(self._source.joined(given_input).decode())
        function = b'{"name":%b,"arguments":%b}' % (bytes(name), arguments)
        return [b'{"type":"function","id":', bytes(call_id), b',"function":', function, b"}"]

    def _parts(self, role: str, parts: Sequence[Part], path: str) -> None:
        self._add(role, array(parts), Origin(path, tuple(part.origin for part in parts)))

    def _add(self, role: str, content: Pieces, origin: Origin) -> None:
        self._message([b'{"role":"%b","content":' % role.encode(), *content, b"}"], origin)

    def _message(self, pieces: Pieces, origin: Origin) -> None:
        self._written.append(pieces)
        self.origins.append(origin)
